/* Light and dark: as the system has it until the button says otherwise. */
(function theme() {
  const button = document.getElementById("theme"),
    system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try {
    chosen = localStorage.getItem("netparity-theme");
  } catch {
    /* pages from files may have no storage */
  }
  function show() {
    const dark = chosen ? chosen === "dark" : system.matches;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    button.textContent = dark ? "Light" : "Dark";
    button.setAttribute("aria-label", `Use ${dark ? "light" : "dark"} colours`);
  }
  button.addEventListener("click", () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("netparity-theme", chosen);
    } catch {
      /* then it lasts as long as the page */
    }
    show();
  });
  system.addEventListener("change", show);
  show();
})();
