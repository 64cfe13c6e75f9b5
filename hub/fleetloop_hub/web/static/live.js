// Keeps the page honest: how old it is, and its changing part fetched anew when something changed.
(() => {
  "use strict";
  const STALE_AFTER_S = 12;
  const FETCH_EVERY_MS = 2000;
  const ASK_EVERY_MS = 10000; // where no stream is to be had
  const mark = document.getElementById("mark");
  if (!mark) return;
  let heardAt = performance.now();
  let signedOut = false; // the session is over: what stands here is as old as that
  let ahead = 0; // what the hub's clock is ahead of this one, in seconds

  const live = () => document.getElementById("live");
  const readClock = () => { ahead = Number(live().dataset.at) - Date.now() / 1000; };
  const say = (id, text) => {
    const element = document.getElementById(id);
    if (element.textContent !== text) element.textContent = text;
  };
  const ago = (passed) => {
    if (passed < 60) return `${passed} s ago`;
    if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
    if (passed < 86400) return `${Math.floor(passed / 3600)} h ago`;
    return `${Math.floor(passed / 86400)} d ago`;
  };

  const tick = () => {
    const silent = Math.floor((performance.now() - heardAt) / 1000);
    const stale = silent >= STALE_AFTER_S;
    if (mark.dataset.topics) { // other pages go on saying as of when they are
      mark.className = stale || signedOut ? "mark stale" : "mark fresh";
      say("mark-word", signedOut ? "signed out" : stale ? "stale" : "live");
      say("mark-age", signedOut ? "load again to sign in" : stale ? `since ${silent} s` : "");
    }
    const now = Date.now() / 1000 + ahead;
    for (const time of document.querySelectorAll("#main time")) {
      const at = Date.parse(time.dateTime) / 1000;
      const text = at > now + 1 ? time.textContent : ago(Math.max(0, Math.floor(now - at)));
      if (time.textContent !== text) time.textContent = text;
    }
  };

  // Someone who fills in a form inside the changing part is not to lose what they have typed.
  const busy = () => live().contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
  let fetchedAt = 0;
  let waiting = false;
  const fetchAnew = () => {
    if (signedOut) return;
    const due = fetchedAt + FETCH_EVERY_MS - performance.now();
    if (waiting) return;
    if (due > 0 || document.hidden || busy()) {
      waiting = true;
      setTimeout(() => { waiting = false; fetchAnew(); }, Math.max(due, 500));
      return;
    }
    fetchedAt = performance.now();
    htmx.trigger(live(), "fleetloop:changed");
  };

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) heardAt = performance.now();
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status !== 401) return;
    signedOut = true;
    tick();
  });
  let opened = [];
  let ticked = new Set();
  const ticks = () => [...live().querySelectorAll("td input[type=checkbox], th input[type=checkbox]")];
  document.addEventListener("htmx:beforeSwap", () => {
    opened = [...live().querySelectorAll("details[id]")].map((details) => [details.id, details.open]);
    ticked = new Set(ticks().filter((box) => box.checked).map((box) => box.value));
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, open] of opened) {
      const details = document.getElementById(id);
      if (details) details.open = open;
    }
    for (const box of ticks()) box.checked = ticked.has(box.value);
    readClock();
    tick();
  });

  const listen = () => {
    const stream = new EventSource(`/events/stream?topics=${mark.dataset.topics}`);
    stream.addEventListener("beat", () => { heardAt = performance.now(); });
    stream.addEventListener("changed", () => { heardAt = performance.now(); fetchAnew(); });
    stream.addEventListener("error", () => {
      if (stream.readyState === EventSource.CLOSED) setTimeout(() => { fetchAnew(); if (!signedOut) listen(); }, ASK_EVERY_MS);
    });
  };

  readClock();
  tick();
  setInterval(tick, 1000);
  if (mark.dataset.topics) listen();
})();
