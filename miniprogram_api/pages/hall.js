// Turns the page of the screen in the hall. What is shown stays when the network is gone, and says that it may be old. As televisions are:
// nothing here is newer than ten years.
(function () {
  "use strict";

  function trouble(is) {
    document.getElementById("trouble").hidden = !is;
  }

  function turn() {
    var hall = document.getElementById("hall");
    var asked = new XMLHttpRequest();
    asked.timeout = 10000;
    asked.onload = function () {
      var page = new DOMParser().parseFromString(asked.responseText, "text/html");
      var next = page.getElementById("hall");
      if (next) {
        hall.parentNode.replaceChild(document.adoptNode(next), hall);
      } else {
        trouble(true);
      }
      begin();
    };
    asked.onerror = asked.ontimeout = function () {
      trouble(true);
      begin();
    };
    asked.open("GET", hall.getAttribute("data-next"));
    asked.send();
  }

  function begin() {
    setTimeout(turn, Number(document.getElementById("hall").getAttribute("data-seconds")) * 1000);
  }

  document.addEventListener("DOMContentLoaded", begin);
})();
