// Light or dark as was chosen here, before anything is drawn; without a choice, as the system has it.
(() => {
  "use strict";
  const chosen = localStorage.getItem("fleetloop-theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
  document.documentElement.classList.add("with-script");
})();
