/* Loa: small behaviours of every page. Without script each page still works: tabs are sections, dialogs are pages. */
(() => {
  "use strict";

  // A menu closes on Escape and on a click elsewhere.
  const menus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });

  // Dialogs: data-open names the dialog, data-close is inside it.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    const dialog = opener && document.getElementById(opener.dataset.open);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  });

  // Tabs: arrows move, Home and End jump. The list of tabs is hidden until this script shows it.
  const pick = (list, tab, focus) => {
    for (const other of list.querySelectorAll("[role=tab]")) {
      const on = other === tab;
      other.setAttribute("aria-selected", on);
      other.tabIndex = on ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !on;
    }
    if (focus) {
      tab.focus();
      tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  };
  for (const list of document.querySelectorAll("[role=tablist]")) {
    const tabs = [...list.querySelectorAll("[role=tab]")];
    const asked = tabs.find((tab) => `#${tab.getAttribute("aria-controls")}` === location.hash);
    list.hidden = false;
    list.closest(".card")?.classList.add("tabbed");
    list.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (tab) pick(list, tab);
    });
    list.addEventListener("keydown", (event) => {
      const i = tabs.indexOf(event.target.closest("[role=tab]"));
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      pick(list, tabs[(to + tabs.length) % tabs.length], true);
    });
    if (tabs.length) pick(list, asked ?? tabs.find((tab) => tab.getAttribute("aria-selected") === "true") ?? tabs[0]);
  }

  // A countdown: the text each second, spoken at a minute and at ten seconds, then the page again to see what happened.
  const hold = document.getElementById("hold");
  if (hold) {
    const left = hold.querySelector(".left");
    const bar = hold.querySelector("progress");
    const spoken = document.getElementById("hold-say");
    const end = Date.now() + hold.dataset.seconds * 1000;
    const turn = setInterval(() => {
      const seconds = Math.max(0, Math.round((end - Date.now()) / 1000));
      if (left) left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      if (bar) bar.value = seconds;
      if (seconds === 60 || seconds === 10) spoken.textContent = spoken.dataset.say.replace("{n}", seconds);
      if (seconds > 0) return;
      clearInterval(turn);
      setTimeout(() => location.reload(), 2500);
    }, 1000);
  }

  // An error summary takes the focus, so that it is read first.
  document.querySelector(".errs")?.focus();

  // A request that failed says so, instead of doing nothing.
  const lost = document.getElementById("lost");
  const say = (kind) => {
    if (!lost) return;
    const text = lost.querySelector("span");
    text.textContent = text.dataset[kind];
    lost.hidden = false;
  };
  document.body.addEventListener("htmx:sendError", () => say("offline"));
  document.body.addEventListener("htmx:responseError", () => say("refused"));
  document.body.addEventListener("htmx:afterOnLoad", () => lost && (lost.hidden = true));
})();
