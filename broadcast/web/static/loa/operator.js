/* The operator's page: play, save for later, report; all of it also without a network.
   Reports wait in localStorage until the server has answered them; the server takes a repeated report as one. */
(() => {
  "use strict";

  const root = document.getElementById("loa");
  if (!root) return;
  const words = root.dataset;
  const CLIPS = "loa-clips";
  const PAGE = "loa-page";
  const QUEUE = "loa.queue";
  const OWNER = "loa.owner";
  const EVERY = 30000; // milliseconds between looks at the server

  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const two = (n) => String(n).padStart(2, "0");
  const clock = (date) => `${two(date.getHours())}:${two(date.getMinutes())}`;
  const length = (seconds) => `${Math.floor(seconds / 60)}:${two(Math.floor(seconds % 60))}`;
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const card = (id) => $(`[data-clip="${id}"]`);

  // -- the queue of reports ----------------------------------------------------------------------------------
  const queue = () => JSON.parse(localStorage.getItem(QUEUE) || "[]");
  const setQueue = (events) => {
    if (events.length) localStorage.setItem(QUEUE, JSON.stringify(events));
    else localStorage.removeItem(QUEUE);
  };

  function say(id, text, values = {}) {
    const note = document.getElementById(id);
    if (text) $("span", note).textContent = fill(text, values);
    note.hidden = !text;
  }

  function showQueue() {
    const events = queue();
    for (const node of $$("[data-clip]")) {
      const event = events.find((one) => String(one.clip) === node.dataset.clip);
      const pending = $("[data-pending]", node);
      if (!pending) continue;
      pending.hidden = !event;
      if (event) {
        const text = event.event === "played" ? words.playedWaits : words.missedWaits;
        $("span", pending).textContent = fill(text, { time: clock(new Date(event.at)) });
      }
      for (const button of $$("[data-report]", node)) button.hidden = Boolean(event);
    }
    say("queued", events.length ? words.queued : "", { n: events.length });
  }

  function put(event) {
    setQueue([...queue().filter((other) => String(other.clip) !== String(event.clip)), event]);
    showQueue();
    sync();
  }

  const token = () => (document.cookie.match(/(?:^|; )csrftoken=([^;]+)/) || [])[1] || "";
  let syncing = false;

  async function sync() {
    const events = queue();
    if (!events.length || syncing) return;
    syncing = true;
    try {
      const response = await fetch(words.report, {
        method: "POST",
        redirect: "manual",
        headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
        body: JSON.stringify({ events }),
      });
      if (response.type === "opaqueredirect" || response.status === 403) {
        say("refused", words.logIn);
        return;
      }
      if (!response.ok) return;
      const { results } = await response.json();
      const answered = new Set(results.map((result) => `${result.clip} ${result.event}`));
      setQueue(queue().filter((event) => !answered.has(`${event.clip} ${event.event}`)));
      const refused = results.filter((result) => !result.ok);
      say("refused", refused.map((result) => `${title(result.clip)}: ${result.error}`).join(" "));
      showQueue();
      await refresh();
    } catch {
      offline(true); // the reports stay in the queue
    } finally {
      syncing = false;
    }
  }

  const title = (id) => (card(id) ? $("h2, h3", card(id)).textContent.trim() : id);
  const offline = (is) => {
    document.getElementById("offline").hidden = !is;
  };

  // -- a fresh list ------------------------------------------------------------------------------------------
  async function refresh() {
    if ($$("audio").some((audio) => !audio.paused) || $("dialog[open]")) return;
    let response;
    try {
      response = await fetch(location.href, { redirect: "manual", headers: { Accept: "text/html" } });
    } catch {
      offline(true);
      return;
    }
    if (response.type === "opaqueredirect") {
      say("refused", words.logIn);
      return;
    }
    if (!response.ok) return;
    offline(false);
    const copy = response.clone(); // with its headers: the saved page keeps its content security policy
    const html = await response.text();
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const list = $("#ban-tin", fresh);
    if (!list) return;
    if (await caches.has(PAGE)) {
      await (await caches.open(PAGE)).put(location.href, copy);
    }
    const before = signature($("#ban-tin"));
    if (signature(list) !== before) {
      const known = new Set($$("#ban-tin [data-clip]").map((node) => node.dataset.clip));
      $("#ban-tin").replaceWith(document.adoptNode(list));
      enhance();
      const arrived = $$("#ban-tin [data-clip]").filter((node) => !known.has(node.dataset.clip));
      if (arrived.length) $("#loa-news").textContent = fill(words.arrived, { n: arrived.length });
    }
  }
  const signature = (list) =>
    $$("[data-clip]", list)
      .map((node) => `${node.dataset.clip}${node.dataset.state}${node.dataset.sha}`)
      .join();

  // -- saved on this phone -----------------------------------------------------------------------------------
  const address = (node) => new URL(node.dataset.src, location.href).href;
  const waiting = () => $$('[data-clip][data-state="waiting"]');

  async function saved() {
    const cache = await caches.open(CLIPS);
    return new Set((await cache.keys()).map((request) => request.url));
  }

  async function save(node) {
    const response = await fetch(node.dataset.src);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    await (await caches.open(CLIPS)).put(address(node), response);
  }

  async function saveAll(nodes) {
    const button = document.getElementById("save-all");
    if (button) button.disabled = true;
    say("full", "");
    let done = 0;
    try {
      for (const node of nodes) {
        say("saving", words.saving, { n: ++done, of: nodes.length });
        await save(node);
        await showSaved();
      }
      offline(false);
    } catch (error) {
      if (error.name === "QuotaExceededError") say("full", words.full);
      else offline(true);
    } finally {
      say("saving", "");
      if (button) button.disabled = false;
      await showSaved();
    }
  }

  async function showSaved() {
    const have = await saved();
    const listed = waiting();
    for (const node of listed) {
      const here = have.has(address(node));
      const mark = $("[data-saved]", node);
      if (mark) mark.hidden = !here;
      const button = $("[data-save]", node);
      if (button) button.hidden = here;
    }
    const missing = listed.filter((node) => !have.has(address(node)));
    const ready = listed.length > 0 && missing.length === 0;
    say("ready", ready ? words.ready : "", { n: listed.length });
    const all = document.getElementById("save-all");
    if (all) all.hidden = !missing.length;
  }

  async function forgetOld() {
    const cache = await caches.open(CLIPS);
    const listed = new Set(waiting().map(address));
    for (const request of await cache.keys()) if (!listed.has(request.url)) await cache.delete(request);
  }

  async function forgetAll() {
    await Promise.all([caches.delete(CLIPS), caches.delete(PAGE)]);
    localStorage.removeItem(QUEUE);
    localStorage.removeItem(OWNER);
  }

  // -- playing -----------------------------------------------------------------------------------------------
  function player(node) {
    const box = $("[data-player]", node);
    const audio = box && $("audio", box);
    if (!audio || box.dataset.ready) return;
    box.dataset.ready = "yes";
    const total = Number(node.dataset.seconds);
    const button = $(".play", box);
    const seek = $("input", box);
    const time = $("[data-time]", box);
    audio.hidden = true;
    for (const part of $$("[data-scripted]", box)) part.hidden = false;
    const show = () => {
      seek.value = String(audio.currentTime);
      seek.setAttribute("aria-valuetext", length(audio.currentTime));
      time.textContent = length(audio.currentTime);
      $("[data-icon=play]", button).toggleAttribute("hidden", !audio.paused);
      $("[data-icon=pause]", button).toggleAttribute("hidden", audio.paused);
      button.setAttribute("aria-label", audio.paused ? button.dataset.play : button.dataset.pause);
    };
    button.addEventListener("click", () => {
      if (!audio.paused) return audio.pause();
      for (const other of $$("audio")) if (other !== audio) other.pause();
      node.dataset.started ||= String(Date.now());
      audio.play().catch((error) => error.name === "AbortError" || say("refused", words.noSound));
    });
    seek.addEventListener("input", () => {
      audio.currentTime = Number(seek.value);
    });
    for (const name of ["timeupdate", "play", "pause", "ended"]) audio.addEventListener(name, show);
    audio.addEventListener("ended", () => {
      node.dataset.heard = "yes";
    });
    seek.max = String(total);
    show();
  }

  // -- reporting ---------------------------------------------------------------------------------------------
  const dialog = document.getElementById("report");

  function ask(node, event) {
    const form = $("form", dialog);
    const now = new Date();
    form.reset();
    form.elements.clip.value = node.dataset.clip;
    form.elements.event.value = event;
    form.elements.time.value = clock(now);
    $("h2", dialog).textContent = title(node.dataset.clip);
    const seconds = Number(node.dataset.seconds);
    const since = (now - Number(node.dataset.started || now)) / 1000;
    // The clip takes its time: who reports sooner is asked, never stopped, for most play it on another machine.
    const early = event === "played" && !node.dataset.heard && since < seconds;
    const warning = $("[data-early]", dialog);
    warning.hidden = !early;
    $("span", warning).textContent = fill(words.early, { length: node.dataset.length });
    for (const part of $$("[data-for]", dialog)) part.hidden = part.dataset.for !== event;
    dialog.showModal();
  }

  function moment(text) {
    const [hour, minute] = text.split(":").map(Number);
    const at = new Date();
    if (Number.isNaN(hour) || clock(at) === text) return at;
    at.setHours(hour, minute, 0, 0);
    if (at - Date.now() > 10 * 60 * 1000) at.setDate(at.getDate() - 1); // «23:50» told after midnight
    return at;
  }

  $("form", dialog).addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    const { clip, event, time, reason } = submitted.target.elements;
    dialog.close();
    put({ clip: Number(clip.value), event: event.value, at: moment(time.value).toISOString(), reason: reason.value });
  });

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-report], [data-save]");
    const node = button?.closest("[data-clip]");
    if (!node) return;
    event.preventDefault();
    if (button.dataset.report) ask(node, button.dataset.report);
    else saveAll([node]);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#save-all")) {
      event.preventDefault();
      saved().then((have) => saveAll(waiting().filter((node) => !have.has(address(node)))));
    }
  });

  $("[data-forget]")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    await sync();
    if (queue().length && !confirm(fill(words.unsent, { n: queue().length }))) return;
    await forgetAll();
    event.target.submit();
  });

  // -- start -------------------------------------------------------------------------------------------------
  function enhance() {
    for (const node of $$("[data-clip]")) player(node);
    showQueue();
    if ("caches" in window) forgetOld().then(showSaved);
  }

  async function keepPage() {
    const worker = await navigator.serviceWorker.register("/loa/sw.js", { scope: "/loa/" });
    await navigator.serviceWorker.ready;
    const assets = performance.getEntriesByType("resource").map((entry) => entry.name);
    const linked = $$("link[href], script[src]").map((node) => node.href || node.src);
    const ours = new Set([...assets, ...linked].filter((url) => url.startsWith(`${location.origin}/static/`)));
    const cache = await caches.open(PAGE);
    await Promise.all([...ours, location.href].map((url) => cache.add(url).catch(() => undefined)));
    root.dataset.kept = "yes";
    return worker;
  }

  async function start() {
    if ("caches" in window && localStorage.getItem(OWNER) !== words.user) await forgetAll();
    localStorage.setItem(OWNER, words.user);
    enhance();
    if ("serviceWorker" in navigator) await keepPage().catch(() => undefined);
    await sync();
    if ("caches" in window && navigator.onLine) {
      const have = await saved();
      const urgent = $$('[data-clip][data-state="waiting"][data-urgent]').filter((node) => !have.has(address(node)));
      if (urgent.length) await saveAll(urgent); // these must play even if the network goes with the storm
    }
    await refresh();
  }

  addEventListener("online", () => {
    offline(false);
    sync();
  });
  addEventListener("offline", () => offline(true));
  document.addEventListener("visibilitychange", () => document.hidden || sync().then(refresh));
  setInterval(() => sync().then(refresh), EVERY);
  start();
})();
