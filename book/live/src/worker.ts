// Python, in a thread of its own: Pyodide with the packages of the book. It starts when the page
// sends "start", runs one cell after the other, and ends when the page terminates it.

import type { FromWorker, ToWorker } from "./messages";

type Files = Record<string, { bytes: number; sha256: string }>;     // python/files.json

const say = (message: FromWorker) => self.postMessage(message);
const network = self.fetch.bind(self);
let python: any;
let order: Promise<unknown> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  order = order.then(() => handle(data)).catch((error) => {   // no start, or Python itself has died
    say({ type: "failed", text: String(error.message ?? error) });
    self.close();
  });
};

async function handle(message: ToWorker) {
  if (message.type === "start") {
    await start(message.base);
    say({ type: "ready" });
  } else if (message.type === "run") {
    const ok = python.globals.get("run")(message.id, message.name, message.code);
    say({ type: "end", id: message.id, ok });
  } else {
    python.globals.get("receive")(JSON.stringify(message));
  }
}

async function start(base: string) {
  const url = (name: string) => new URL(name, base).href;
  const answer = await network(url("files.json"), { cache: "no-cache" });
  if (!answer.ok) throw Error(`files.json: the server answers ${answer.status}`);
  const files: Files = await answer.json();
  const load = await loader(files, base);
  // Pyodide asks by fetch for what it loads: all of it comes from the loader, checked and counted.
  self.fetch = (input: RequestInfo | URL, init?: RequestInit) => {
    const asked = String(input instanceof Request ? input.url : input);
    const name = asked.startsWith(base) ? asked.slice(base.length) : "";
    return name in files ? load(name) : network(input, init);
  };
  const all = Promise.all(Object.keys(files).map(load));    // at once; one that fails ends the start
  all.catch(() => {});
  const { loadPyodide } = await import(/* not bundled */ url("pyodide.mjs"));
  const started = loadPyodide({
    indexURL: base,
    packages: ["numpy", "matplotlib", "ipywidgets", "byhand"],
    env: { HOME: "/book", MPLBACKEND: "agg" },
  });
  [python] = await Promise.all([started, all]);
  say({ type: "progress", text: "starting Python", done: 1, total: 1 });
  python.FS.mkdirTree("/book");
  python.unpackArchive(await (await load("book.zip")).arrayBuffer(), "zip", { extractDir: "/book" });
  python.FS.chdir("/book/chapters");
  python.registerJsModule("page", { say: (text: string) => say(JSON.parse(text)) });
  await python.runPythonAsync(await (await load("boot.py")).text());
}

// A function that gives a file by name: from the browser's cache or the server, each once, its
// hash checked by the browser, with a report of all bytes that have come so far.
async function loader(files: Files, base: string) {
  const version = await digest(JSON.stringify(files));
  const shelf = await open(version);
  const total = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  const under_way = new Map<string, Promise<Response>>();
  let done = 0, shown = 0;

  function count(name: string, bytes: number) {
    done += bytes;
    if (done - shown < total / 100 && done < total) return;
    shown = done;
    say({ type: "progress", text: `loading ${name.split("-")[0]}`, done, total });
  }

  async function get(name: string): Promise<Response> {
    const url = new URL(name, base).href;
    const kept = await shelf?.match(url);
    if (kept) {
      count(name, files[name].bytes);
      return kept;
    }
    const found = await network(url, { integrity: `sha256-${files[name].sha256}` }).catch(() => {
      throw Error(`${name} did not arrive, or is not the file it should be`);
    });
    if (!found.ok) throw Error(`${name}: the server answers ${found.status}`);
    const counted = found.body!.pipeThrough(new TransformStream({
      transform(chunk, controller) {
        count(name, chunk.length);
        controller.enqueue(chunk);
      },
    }));
    const type = name.endsWith(".wasm") ? "application/wasm" : found.headers.get("content-type") ?? "";
    const whole = await new Response(counted).arrayBuffer();
    const answer = () => new Response(whole, { headers: { "content-type": type } });
    await shelf?.put(url, answer()).catch(() => {});        // a full disk is no reason to fail
    return answer();
  }

  return async (name: string) => {
    if (!under_way.has(name)) under_way.set(name, get(name));
    return (await under_way.get(name)!).clone();
  };
}

// The browser's own store for this version of the files; older versions leave it.
async function open(version: string) {
  try {
    const name = `by-hand-${version}`;
    for (const old of await caches.keys()) if (old.startsWith("by-hand-") && old !== name) await caches.delete(old);
    return await caches.open(name);
  } catch {
    return null;                    // a private window, or a page without https
  }
}

async function digest(text: string) {
  if (!self.crypto?.subtle) return "unversioned";
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes.slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
