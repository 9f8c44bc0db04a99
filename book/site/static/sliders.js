// Figures that move without Python: a slider chooses among the pictures of a strip, one file a figure.
// Without scripts, and on paper, the still picture with its three settings stands there instead.
// @ts-check
"use strict";

/** @typedef {{file: string, sliders: [string, string[]][], start: number[], together: boolean,
 *             rows: number, width: number, height: number}} Strip */

/** The number of a picture: all combinations in order, or one slider at a time, the others at their start. */
function number(/** @type {Strip} */ strip, /** @type {number[]} */ at, /** @type {number} */ moved) {
  const counts = strip.sliders.map(([, stops]) => stops.length);
  if (strip.together) return at.reduce((sum, i, k) => sum * counts[k] + i, 0);
  return counts.slice(0, moved).reduce((sum, n) => sum + n, 0) + at[moved];
}

function make(/** @type {string} */ tag, /** @type {string} */ name, /** @type {Element} */ parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made);
  return made;
}

async function bringToLife(/** @type {HTMLElement} */ figure) {
  const still = figure.querySelector("img");
  if (!still) return;
  /** @type {Strip} */
  const strip = JSON.parse(figure.dataset.strip ?? "");
  const sheet = new Image();
  sheet.src = strip.file;
  sheet.alt = "";
  await sheet.decode();

  const box = document.createElement("div");
  box.className = "moving";
  const counts = strip.sliders.map(([, stops]) => stops.length);
  const count = counts.reduce((sum, n) => (strip.together ? sum * n : sum + n), strip.together ? 1 : 0);
  const rows = Math.min(strip.rows, count);
  const columns = Math.ceil(count / strip.rows);
  const at = [...strip.start];

  const window = document.createElement("div");
  window.className = "moving-picture";
  window.setAttribute("role", "img");
  window.style.width = `${strip.width}px`;
  window.style.aspectRatio = `${sheet.naturalWidth / columns} / ${sheet.naturalHeight / rows}`;
  sheet.style.width = `${columns * 100}%`;
  window.append(sheet);

  const controls = strip.sliders.map(([name, stops], k) => {
    const label = make("label", "moving-slider", box);
    make("code", "", label).textContent = name;
    const slider = /** @type {HTMLInputElement} */ (make("input", "", label));
    slider.type = "range";
    slider.max = String(stops.length - 1);
    const value = make("output", "", label);
    slider.addEventListener("input", () => {
      if (!strip.together) at.splice(0, at.length, ...strip.start);
      at[k] = Number(slider.value);
      show(k);
    });
    return { name, stops, slider, value };
  });
  box.append(window);
  if (!strip.together) {
    make("p", "moving-note", box).textContent = "One slider moves at a time here, from the start; after Run they move together.";
  }

  function show(/** @type {number} */ moved) {
    controls.forEach(({ stops, slider, value }, k) => {
      slider.value = String(at[k]);
      value.textContent = stops[at[k]];
      slider.setAttribute("aria-valuetext", value.textContent);
    });
    const picture = number(strip, at, moved);
    const [column, row] = [Math.floor(picture / strip.rows), picture % strip.rows];
    sheet.style.transform = `translate(${(-100 * column) / columns}%, ${(-100 * row) / rows}%)`;
    const setting = controls.map(({ name, value }) => `${name} = ${value.textContent}`).join(", ");
    window.setAttribute("aria-label", `The figure at ${setting}`);
  }

  show(0);
  still.classList.add("still");
  still.before(box);
}

const near = new IntersectionObserver(
  (seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting || !(target instanceof HTMLElement)) continue;
      near.unobserve(target);
      bringToLife(target).catch(() => {});      // the still picture stays
    }
  },
  { rootMargin: "1000px" },
);
for (const figure of document.querySelectorAll("figure[data-strip]")) near.observe(figure);
