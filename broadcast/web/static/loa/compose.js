/* The composer: saving never overtakes itself, and the tree of places has three states. */
(() => {
  "use strict";
  const form = document.getElementById("composer");

  // A step's button waits for a save that is under way, so that it goes on with the newest revision.
  let saving = 0;
  let waiting = null;
  form.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target === form) saving += 1;
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    if (event.target !== form) return;
    saving -= 1;
    if (!saving && waiting) {
      const button = waiting;
      waiting = null;
      form.requestSubmit(button);
    }
  });
  form.addEventListener("submit", (event) => {
    if (!saving) return;
    event.preventDefault();
    waiting = event.submitter;
  });

  // Fields that only count while their radio button is chosen.
  for (const block of form.querySelectorAll("[data-needs]")) {
    const radio = document.getElementById(block.dataset.needs);
    const show = () => (block.hidden = !radio.checked);
    for (const other of form.elements[radio.name]) other.addEventListener("change", show);
    show();
  }

  // The tree.
  const tree = document.getElementById("tree");
  if (!tree) return;
  const boxOf = (item) => item.querySelector("input[type=checkbox]");
  const childrenOf = (item) => [...item.querySelectorAll(":scope > details > ul > li")];

  const settle = (item) => {
    const children = childrenOf(item);
    if (!children.length) return;
    const boxes = children.map(boxOf);
    const all = boxes.every((box) => box.checked);
    const none = boxes.every((box) => !box.checked && !box.indeterminate);
    const box = boxOf(item);
    box.checked = all;
    box.indeterminate = !all && !none;
  };
  const settleAbove = (item) => {
    for (let above = item.parentElement.closest("li"); above; above = above.parentElement.closest("li")) settle(above);
  };
  tree.addEventListener("change", (event) => {
    const item = event.target.closest("li");
    for (const box of item.querySelectorAll("input")) {
      box.checked = event.target.checked;
      box.indeterminate = false;
    }
    settleAbove(item);
  });
  for (const item of [...tree.querySelectorAll("li")].reverse()) settle(item);

  // Search without diacritics: every item carries its folded name.
  const fold = (text) =>
    text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/\s+/g, " ").trim();
  const search = document.getElementById("tim-xa");
  const found = document.getElementById("tree-found");
  document.getElementById("tree-search").hidden = false;
  search.addEventListener("input", (event) => {
    event.stopPropagation(); // not a change of the draft
    const wanted = fold(search.value);
    let n = 0;
    for (const item of [...tree.querySelectorAll("li")].reverse()) {
      const hit = wanted !== "" && item.dataset.name.includes(wanted);
      const inside = childrenOf(item).some((child) => !child.hidden);
      item.hidden = wanted !== "" && !hit && !inside;
      item.classList.toggle("hit", hit);
      n += hit;
      const details = item.querySelector(":scope > details");
      if (details && wanted && inside) details.open = true;
    }
    if (!wanted) for (const item of tree.querySelectorAll("li")) item.hidden = false;
    found.textContent = !wanted ? "" : n ? found.dataset.found.replace("{n}", n) : found.dataset.none;
  });
  search.addEventListener("change", (event) => event.stopPropagation());
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
})();
