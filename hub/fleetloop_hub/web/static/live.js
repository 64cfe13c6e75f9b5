// Keeps the page honest between two answers of the hub: how old it is, and what was opened in it.
(() => {
  "use strict";
  const STALE_AFTER_S = 4;
  let answeredAt = performance.now();
  let ahead = 0; // what the hub's clock is ahead of this one, in seconds

  const live = () => document.getElementById("live");
  const readClock = () => { ahead = Number(live().dataset.at) - Date.now() / 1000; };

  const ago = (passed) => {
    if (passed < 60) return `${passed} s ago`;
    if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
    if (passed < 86400) return `${Math.floor(passed / 3600)} h ago`;
    return `${Math.floor(passed / 86400)} d ago`;
  };

  const say = (id, text) => {
    const element = document.getElementById(id);
    if (element.textContent !== text) element.textContent = text;
  };

  const tick = () => {
    const silent = Math.floor((performance.now() - answeredAt) / 1000);
    const stale = silent >= STALE_AFTER_S;
    document.getElementById("mark").className = stale ? "mark stale" : "mark fresh";
    say("mark-word", stale ? "stale" : "live");
    say("mark-age", stale ? `since ${silent} s` : "");
    const now = Date.now() / 1000 + ahead;
    for (const time of live().querySelectorAll("time")) {
      const text = ago(Math.max(0, Math.floor(now - Date.parse(time.dateTime) / 1000)));
      if (time.textContent !== text) time.textContent = text;
    }
  };

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) answeredAt = performance.now();
  });

  let opened = [];
  document.addEventListener("htmx:beforeSwap", () => {
    opened = [...live().querySelectorAll("details[open]")].map((details) => details.id);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    readClock();
    tick();
  });

  readClock();
  tick();
  setInterval(tick, 1000);
})();
