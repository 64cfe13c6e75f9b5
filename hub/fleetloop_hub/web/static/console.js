// Keys, copying, the choice of light or dark, and asking before a page of unsent words is left.
(() => {
  "use strict";
  const keys = document.getElementById("keys");
  const typing = () => document.activeElement.matches("input, select, textarea");

  let led = false; // whether "g" was the last key
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing()) return;
    if (led) {
      led = false;
      const entry = document.querySelector(`.menu a[data-key="${CSS.escape(event.key)}"]`);
      if (entry) { event.preventDefault(); entry.click(); }
      return;
    }
    if (event.key === "/") { event.preventDefault(); document.getElementById("search").focus(); }
    if (event.key === "?") { event.preventDefault(); keys.showModal(); }
    if (event.key === "g") { led = true; setTimeout(() => { led = false; }, 1500); }
  });
  document.getElementById("keys-open").addEventListener("click", () => keys.showModal());

  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("fleetloop-theme", root.dataset.theme);
    document.dispatchEvent(new Event("fleetloop:theme"));
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch { // a page that is not served over https or loopback has no clipboard
      const field = document.createElement("textarea");
      field.value = button.dataset.copy;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1200);
  });

  // A choice in a form of filters takes effect at once.
  document.addEventListener("change", (event) => {
    if (event.target.matches(".filters select, .filters input[type=checkbox], .filters input[type=range]")) event.target.form.requestSubmit();
  });
})();
