// What a page does beyond standing there: colours, copying, keyboard access to what scrolls. No page needs it to be read.
// @ts-check
"use strict";

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const MODES = ["auto", "light", "dark"];

/** The reader's choice of colours is kept; where nothing may be kept (a file, a private window) it holds for the page. */
function setColours(/** @type {string} */ mode) {
  root.dataset.mode = mode;
  root.dataset.theme = mode === "auto" ? (dark.matches ? "dark" : "light") : mode;
  try {
    localStorage.setItem("colours", mode);
  } catch {}
  const button = document.querySelector(".colours-button");
  if (button instanceof HTMLElement) {
    button.textContent = { auto: "Auto", light: "Light", dark: "Dark" }[mode] ?? "Auto";
    button.setAttribute("aria-label", `${button.textContent} colours; press to change`);
  }
}

setColours(root.dataset.mode ?? "auto");
dark.addEventListener("change", () => setColours(root.dataset.mode ?? "auto"));
document.querySelector(".colours-button")?.addEventListener("click", () => {
  setColours(MODES[(MODES.indexOf(root.dataset.mode ?? "auto") + 1) % MODES.length]);
});

/** Wide boxes can be reached by keyboard, to scroll them. One that fits is no stop on the way: seen when it comes near. */
function reachScrolling(/** @type {Element} */ box) {
  const wide = box.scrollWidth > box.clientWidth + 1;
  wide ? box.setAttribute("tabindex", "0") : box.removeAttribute("tabindex");
}

const wideBoxes = document.querySelectorAll("article [tabindex='0']");
const whenNear = new IntersectionObserver(
  (seen) => seen.filter((entry) => entry.isIntersecting).forEach((entry) => reachScrolling(entry.target)),
  { rootMargin: "1000px" },
);
function watchWideBoxes() {
  whenNear.disconnect();
  for (const box of wideBoxes) {
    box.setAttribute("tabindex", "0");
    whenNear.observe(box);
  }
}

document.fonts.ready.then(watchWideBoxes);
addEventListener("resize", watchWideBoxes);

/** A button to copy, on every block of code but outputs. */
for (const block of document.querySelectorAll("div.highlight")) {
  const code = block.querySelector("pre");
  if (!code || block.closest(".cell_output") || !navigator.clipboard) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent ?? "");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  block.append(button);
}

/** A link into a folded answer opens it; on paper all are open. */
function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let box = target?.closest("details"); box; box = box.parentElement?.closest("details")) box.open = true;
  if (target?.closest("details")) target.scrollIntoView();
}

addEventListener("hashchange", unfold);
unfold();

/** @type {HTMLDetailsElement[]} */
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details")].filter((box) => !box.open && !box.matches(".hide"));
  for (const box of opened) box.open = true;
});
addEventListener("afterprint", () => {
  for (const box of opened) box.open = false;
});

/** The contents mark the section being read, close when one is chosen, and Ctrl-K searches. */
const contents = document.getElementById("contents");
const current = contents?.querySelector("li.current");
if (contents && current instanceof HTMLElement) {
  contents.scrollTop = current.offsetTop - contents.clientHeight / 3;
}
contents?.addEventListener("click", (event) => {
  if (event.target instanceof HTMLAnchorElement && contents.matches(":popover-open")) contents.hidePopover();
});

const watcher = new IntersectionObserver(
  (seen) => {
    const top = seen.filter((entry) => entry.isIntersecting).at(-1);
    if (!top) return;
    for (const link of contents?.querySelectorAll("[aria-current=true]") ?? []) link.removeAttribute("aria-current");
    const id = top.target.closest("section")?.id ?? "";
    contents?.querySelector(`a[href="#${CSS.escape(id)}"]`)?.setAttribute("aria-current", "true");
  },
  { rootMargin: "0px 0px -70% 0px" },
);
for (const heading of document.querySelectorAll("article h2")) watcher.observe(heading);

addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  if (contents && getComputedStyle(contents).display === "none") contents.showPopover();
  const field = contents?.querySelector("input");
  field?.focus();
  field?.select();
});
