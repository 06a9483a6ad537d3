// Renews the screen: every few seconds, and as soon as a code is over. Seconds are counted from what the server said, so the clock of the
// computer in the room may be wrong.
(() => {
  const EVERY = 4000;
  let over = null;

  function begin() {
    const screen = document.getElementById("screen");
    const seconds = screen.dataset.seconds;
    over = seconds === "" ? null : performance.now() + Number(seconds) * 1000;
  }

  function trouble(is) {
    document.getElementById("trouble").hidden = !is;
    document.getElementById("screen").classList.toggle("stale", is && over !== null && performance.now() > over);
  }

  async function renew() {
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (answer.status === 404 || page.getElementById("screen")) {
        document.querySelector("main").replaceWith(page.querySelector("main"));
        if (answer.status === 404) return;
        begin();
      } else {
        trouble(true);
      }
    } catch {
      trouble(true);
    }
    const left = over === null ? EVERY : Math.max(over - performance.now(), 0) + 100;
    setTimeout(renew, Math.min(EVERY, left > 200 ? left : 1000));
  }

  function tick() {
    const left = document.getElementById("left");
    if (left && over !== null) left.textContent = Math.max(Math.ceil((over - performance.now()) / 1000), 0);
  }

  document.addEventListener("DOMContentLoaded", () => {
    begin();
    setInterval(tick, 250);
    setTimeout(renew, EVERY);
  });
})();
