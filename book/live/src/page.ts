// The page's side of Run: buttons on every cell, the worker that holds Python, outputs in place.
// Nothing is loaded before the first click; editor.js and widgets.js only when they are needed.

import type { Editor } from "./editor";
import type { FromWorker, Output, ToWorker } from "./messages";
import type { Widgets } from "./widgets";

const live = new URL(".", (document.currentScript as HTMLScriptElement).src);
const at = (name: string) => new URL(name, live).href;

type State = "fresh" | "waiting" | "running" | "done" | "failed";

class Cell {
  state: State = "fresh";
  editor?: Editor;
  readonly code: string;            // as the book has it
  readonly mayFail: boolean;        // an error is what the cell is there to show
  private readonly input: HTMLElement;
  private readonly pre: HTMLElement;
  private readonly status: HTMLElement;
  private readonly buttons: Record<"run" | "edit" | "reset", HTMLButtonElement>;
  private output: HTMLElement | null;
  private readonly built: Node[];   // the outputs of the book, for reset
  private stale = false;            // the outputs shown are those of an earlier run
  private frames: HTMLElement[] = [];           // the book's figures, whose captions stay

  constructor(readonly id: number, private readonly element: HTMLElement) {
    this.input = element.querySelector<HTMLElement>(".cell_input")!;
    this.pre = this.input.querySelector("pre")!;
    this.code = this.pre.textContent!.replace(/\n$/, "");
    this.mayFail = element.classList.contains("tag_raises-exception");
    this.output = element.querySelector<HTMLElement>(".cell_output");
    this.built = [...(this.output?.childNodes ?? [])];
    const bar = make("div", "live-cell", this.input);
    this.status = make("span", "live-status", bar);
    const button = (name: string, label: string, act: () => void) => {
      const made = make("button", `live-${name}`, bar);
      made.type = "button";
      made.textContent = label;
      made.setAttribute("aria-label", `${label} cell ${id}`);
      made.onclick = act;
      return made;
    };
    this.buttons = {
      reset: button("reset", "Reset", () => this.reset()),
      edit: button("edit", "Edit", () => this.edit()),
      run: button("run", "Run", () => runTo(this)),
    };
    this.buttons.reset.hidden = true;
  }

  get text() {
    return this.editor?.text ?? this.code;
  }

  set(state: State) {
    this.state = state;
    this.element.dataset.live = state;
    const said = { fresh: "", waiting: "waiting", running: "running", done: "", failed: "error" };
    this.status.textContent = said[state];
    this.buttons.run.disabled = state === "waiting" || state === "running";
  }

  async edit() {
    if (!this.editor) {
      const { openEditor } = await load<typeof import("./editor")>("editor.js");
      this.editor ??= openEditor(this.pre, this.code, `code of cell ${this.id}`, {
        run: () => runTo(this),
        changed: () => {
          this.buttons.reset.hidden = false;
          if (this.state === "done" || this.state === "failed") this.set("fresh");
        },
      });
      this.buttons.edit.hidden = true;
    }
    this.editor.focus();
  }

  reset() {
    this.editor?.close();
    this.editor = undefined;
    this.buttons.edit.hidden = false;
    this.buttons.reset.hidden = true;
    this.output?.replaceChildren(...this.built);
    this.set("fresh");
    this.buttons.edit.focus();
  }

  begin() {
    this.set("running");
    this.stale = true;              // what is there stays until something new arrives
    this.output?.classList.add("live-stale");
  }

  end(ok: boolean) {
    this.clear();
    this.set(ok ? "done" : "failed");
  }

  // Stopped: what the run has not replaced stands again.
  halt() {
    this.output?.classList.remove("live-stale");
    this.stale = false;
  }

  private clear() {
    if (this.stale) {
      this.output?.replaceChildren();
      this.frames = this.built.flatMap((node) => (node instanceof HTMLElement && node.matches("figure") ? [node] : []));
    }
    this.output?.classList.remove("live-stale");
    this.stale = false;
  }

  // Show a picture where the book has one, above its caption; without one, at the end.
  // Returns the alternative text of the book's own figure, which still says what is to be seen.
  private place(shown: HTMLElement): string {
    const book = this.frames.shift();
    const figure = make("figure", "align-default", this.output!);
    figure.append(shown);
    const caption = book?.querySelector("figcaption");
    if (caption) figure.append(caption.cloneNode(true));
    if (book) figure.id = book.id;
    return book?.querySelector("img[alt]:not([alt=''])")?.getAttribute("alt") || `Figure drawn by cell ${this.id}`;
  }

  async show(output: Output) {
    this.clear();
    this.output ??= make("div", "cell_output docutils container", this.element);
    const box = this.output;
    if (output.kind === "png") {
      const image = make("img", "live-figure");
      image.src = `data:image/png;base64,${output.data}`;
      image.alt = this.place(image);
    } else if (output.kind === "html") {
      make("div", "output text_html", box).innerHTML = output.data;
    } else if (output.kind === "widget") {
      const place = make("div", "live-widget");
      const alt = this.place(place);
      (await widgets()).show(output.data, place, alt);
    } else {
      const last = box.lastElementChild as HTMLElement | null;
      const pre = last?.dataset.kind === output.kind ? last : make("pre", `output live-${output.kind}`, box);
      pre.dataset.kind = output.kind;
      pre.tabIndex = 0;
      pre.append(output.data + (output.kind === "text" ? "\n" : ""));
    }
  }
}

const cells: Cell[] = [];
let worker: Worker | null = null;
let ready = false;

function runTo(last: Cell) {
  // The cells above that have not run yet come first: a cell needs what they define.
  run(cells.filter((cell) => cell === last || (cell.id < last.id && cell.state !== "done")));
}

// One cell is with the worker at a time; the others wait here, where an error or Stop drops them.
let queue: Cell[] = [];
let running: Cell | null = null;

function run(due: Cell[]) {
  for (const cell of due) {
    if (cell === running || queue.includes(cell)) continue;
    cell.set("waiting");
    queue.push(cell);
  }
  start();
  next();
}

function next() {
  if (ready && !running && queue.length) {
    running = queue.shift()!;
    running.begin();
    send({ type: "run", id: running.id, name: `cell ${running.id}`, code: running.text });
  }
  bar.update();
}

function drop() {
  for (const cell of queue) cell.set("fresh");
  queue = [];
}

function send(message: ToWorker) {
  worker!.postMessage(message);
}

function start() {
  if (worker) return;
  bar.say("Loading Python …");
  worker = new Worker(at("worker.js"), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => receive(data);
  worker.onerror = (event) => failed(event.message || "the worker could not be started");
  send({ type: "start", base: at("python/") });
}

function receive(message: FromWorker) {
  if (message.type === "progress") {
    const MB = (bytes: number) => (bytes / 1e6).toFixed(1);
    const much = message.total > 1 ? `, ${MB(message.done)} of ${MB(message.total)} MB` : "";
    bar.say(`Loading Python: ${message.text}${much}`, message.done / message.total);
  } else if (message.type === "ready") {
    ready = true;
    next();
  } else if (message.type === "failed") {
    failed(message.text);
  } else if (message.type === "comm") {
    widgets().then((manager) => manager.receive(message));
  } else if (message.type === "output") {
    cells[message.id - 1].show(message.output);
  } else {
    running!.end(message.ok);
    if (!message.ok && !running!.mayFail) drop();       // what follows would only fail as well
    running = null;
    next();
  }
}

function stop(reason: string) {
  worker?.terminate();
  worker = manager = running = null;
  ready = false;
  queue = [];
  for (const cell of cells) {
    if (cell.state === "running") cell.halt();
    if (cell.state !== "failed") cell.set("fresh");     // a new Python knows nothing of them
  }
  bar.say(reason);
  bar.update();
}

function failed(text: string) {
  const what = ready ? "has ended" : "could not be started";
  stop(`Python ${what}: ${text}. The page stays as it is; Run tries again.`);
}

let manager: Promise<Widgets> | null = null;
function widgets() {
  manager ??= load<typeof import("./widgets")>("widgets.js").then(({ makeWidgets }) => {
    style("widgets.css");
    return makeWidgets((comm) => worker && send({ type: "comm", ...comm }));
  });
  return manager;
}

async function load<T>(name: string): Promise<T> {
  try {
    return await import(/* at run time */ at(name));
  } catch {
    bar.say(`${name} did not arrive. The page stays as it is; try again.`);
    throw Error(`${name} did not arrive`);
  }
}

function make<T extends keyof HTMLElementTagNameMap>(tag: T, classes: string, parent?: Node) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  parent?.appendChild(made);
  return made;
}

// The small bar at the foot of the window: Run all, what is going on, Stop, Restart.
function makeBar() {
  const element = make("div", "live-bar");
  element.setAttribute("role", "region");
  element.setAttribute("aria-label", "Python on this page");
  const status = make("span", "live-message", element);
  status.setAttribute("role", "status");
  const progress = make("progress", "", element);
  progress.hidden = true;
  progress.setAttribute("aria-label", "loading Python");
  const button = (label: string, act: () => void) => {
    const made = make("button", "", element);
    made.type = "button";
    made.textContent = label;
    made.onclick = act;
    return made;
  };
  const all = button("Run all", () => run(cells.filter((cell) => cell.state !== "done")));
  const halt = button("Stop", () => stop("Stopped. Python starts anew at the next Run."));
  const again = button("Restart", () => stop("Python starts anew at the next Run."));
  halt.hidden = again.hidden = true;

  function say(text: string, share?: number) {
    if (status.textContent !== text) status.textContent = text;
    progress.hidden = share === undefined;
    if (share !== undefined) progress.value = share;
  }
  function update() {
    const busy = running !== null || queue.length > 0;
    all.disabled = busy;
    halt.hidden = !busy;
    again.hidden = busy || !ready;
    if (!worker || ready) progress.hidden = true;
    if (running) say(`Running cell ${running.id} of ${cells.length}`);
    else if (ready && !busy) say("Python is ready");
  }
  return { element, say, update };
}

function attach() {
  for (const element of document.querySelectorAll<HTMLElement>("div.cell")) {
    if (element.querySelector(".cell_input pre")) cells.push(new Cell(cells.length + 1, element));
  }
  if (cells.length) document.body.append(bar.element);
}

function style(name: string) {
  const link = make("link", "", document.head);
  link.rel = "stylesheet";
  link.href = at(name);
  return link;
}

const bar = makeBar();
// A page opened from a file may load no worker: it stays a page to read.
// The buttons come after their style, else they would push the page about.
if (location.protocol !== "file:") style("live.css").onload = attach;
