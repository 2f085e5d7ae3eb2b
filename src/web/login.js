// Does a login by password, and hands the answer to the client that has opened this page.
"use strict";

const form = document.getElementById("login");
const button = form.querySelector("button");

// What is no credential may be given in the address (C-S API, "Login Fallback").
const query = new URLSearchParams(location.search);
const given = {};
for (const name of ["device_id", "initial_device_display_name"]) {
  if (query.get(name)) given[name] = query.get(name);
}

function tell(field, text) {
  const input = document.getElementById(field);
  document.getElementById(`${field}-error`).textContent = text;
  input.toggleAttribute("aria-invalid", text !== "");
  if (text) input.focus();
}

function explain(status, body) {
  if (body.errcode === "M_FORBIDDEN") return ["password", "The name or the password is wrong."];
  if (body.errcode === "M_USER_DEACTIVATED") return ["name", "This account was closed."];
  if (body.errcode === "M_LIMIT_EXCEEDED") return ["password", "Too many tries. Wait a moment and try again."];
  return ["password", body.error || `The server answered ${status}.`];
}

async function signIn(user, password) {
  const body = { type: "m.login.password", identifier: { type: "m.id.user", user }, password, ...given };
  const answer = await fetch("/_matrix/client/v3/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) {
    tell(...explain(answer.status, told));
    return;
  }
  document.getElementById("lead").textContent = "You are signed in. You may close this window and go back to your client.";
  form.hidden = true;
  if (window.matrixLogin?.onLogin) window.matrixLogin.onLogin(told);
  else if (window.onLogin) window.onLogin(told);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const user = form.elements.name.value.trim();
  const password = form.elements.password.value;
  tell("password", password ? "" : "Enter your password.");
  tell("name", user ? "" : "Enter your name.");
  if (!user || !password) return;
  button.disabled = true;
  try {
    await signIn(user, password);
  } catch {
    tell("password", "The server could not be reached.");
  } finally {
    button.disabled = false;
  }
});
