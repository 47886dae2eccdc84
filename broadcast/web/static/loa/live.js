/* The live page: takes rendered parts over a WebSocket, and asks for them every 5 seconds while that is down. */
(() => {
  "use strict";
  const page = document.getElementById("live");
  const lost = document.getElementById("live-lost");
  const say = document.getElementById("live-say");
  const status = () => document.getElementById("live-now").dataset.status;
  const first = status();
  const FORBIDDEN = 4403;
  let socket, poll, delay, said;

  const replace = (html) => {
    const parts = document.createElement("template");
    parts.innerHTML = html;
    for (const part of [...parts.content.children]) {
      const old = document.getElementById(part.id);
      if (!old) continue;
      const focused = old.contains(document.activeElement) ? document.activeElement : null;
      const at = focused && [...old.querySelectorAll(focused.tagName)].indexOf(focused);
      const box = old.querySelector(".map-box");
      const left = box?.scrollLeft;
      for (const [i, details] of [...old.querySelectorAll("details")].entries()) {
        const fresh = part.querySelectorAll("details")[i];
        if (fresh) fresh.open = details.open;
      }
      old.replaceWith(part);
      if (focused) part.querySelectorAll(focused.tagName)[at]?.focus({ preventScroll: true });
      if (left) part.querySelector(".map-box").scrollLeft = left;
    }
    announce();
    // Other buttons belong to another state: load the page anew, unless a dialog is open.
    if (status() !== first && !document.querySelector("dialog[open]")) location.reload();
  };

  const announce = () => {
    const tens = Math.floor(document.getElementById("live-figures").dataset.share / 10) * 10;
    if (said !== undefined && tens > said) say.textContent = say.dataset.say.replace("{n}", tens);
    said = tens;
  };

  const ask = async () => {
    try {
      const answer = await fetch(page.dataset.poll, { headers: { "X-Requested-With": "fetch" } });
      if (answer.ok && !answer.redirected) replace(await answer.text());
    } catch {
      // no network: the next turn may have it
    }
  };

  const fallBack = (on) => {
    lost.hidden = !on;
    if (on && !poll) {
      ask();
      poll = setInterval(ask, 5000);
    } else if (!on) {
      clearInterval(poll);
      poll = undefined;
    }
  };

  const connect = () => {
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${page.dataset.socket}`);
    socket.addEventListener("open", () => {
      delay = 1000;
      fallBack(false);
    });
    socket.addEventListener("message", (event) => replace(event.data));
    socket.addEventListener("close", (event) => {
      if (event.code === FORBIDDEN) {
        location.reload();
        return;
      }
      fallBack(true);
      delay = Math.min((delay ?? 500) * 2, 30000);
      setTimeout(connect, delay * (0.7 + 0.6 * Math.random()));
    });
  };

  announce();
  if (!page.dataset.done) connect();
})();
