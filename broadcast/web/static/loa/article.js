/* Printing and sharing an article. Without script the browser's own menu does both. */
(() => {
  "use strict";
  const print = document.querySelector("[data-print]");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
  const share = document.querySelector("[data-share]");
  if (!share || !(navigator.share || navigator.clipboard)) return;
  share.hidden = false;
  share.addEventListener("click", async () => {
    const url = document.querySelector("link[rel=canonical]").href;
    try {
      if (navigator.share) return await navigator.share({ title: document.title, url });
      await navigator.clipboard.writeText(url);
      share.querySelector("span").textContent = share.dataset.copied;
    } catch {
      // the reader closed the dialog
    }
  });
})();
