/**
 * The sign-in page: a bundle of its own and no framework, because it is all that somebody who is
 * not signed in is served. The words in its HTML are put in at build time.
 */
import { signIn } from "../texts";
import type { Ways } from "../wire";
import { need, showing } from "./parts";
import "./sign-in.css";

const form = need("sign-in", HTMLFormElement);
const login = need("login", HTMLInputElement);
const password = need("password", HTMLInputElement);
const send = need("send", HTMLButtonElement);
const show = need("show", HTMLButtonElement);
const problem = need("problem", HTMLParagraphElement);

/** Only an address of this very server: an open redirect would help whoever phishes. */
function next(): string {
  const wanted = new URLSearchParams(location.search).get("next") ?? "/";
  const address = new URL(wanted, location.origin);
  return address.origin === location.origin ? address.pathname + address.search : "/";
}

/** `field`: which one is to blame; undefined for both, null for none. */
function tell(text: string, field?: HTMLInputElement | null): void {
  problem.textContent = text;
  for (const input of [login, password]) {
    const blamed = text !== "" && (field === undefined || field === input);
    input.toggleAttribute("aria-invalid", false);
    if (blamed) input.setAttribute("aria-invalid", "true");
    if (blamed) input.setAttribute("aria-describedby", "problem");
    else input.removeAttribute("aria-describedby");
  }
}

function busy(on: boolean): void {
  send.disabled = on;
  send.textContent = on ? signIn.sending : signIn.send;
}

function why(answer: Response): string {
  if (answer.status === 401) return signIn.wrong;
  if (answer.status === 429) {
    const wait = Number(answer.headers.get("retry-after"));
    return wait > 0 ? signIn.tooManyFor.replace("{s}", String(Math.ceil(wait))) : signIn.tooMany;
  }
  return signIn.failed;
}

async function submit(): Promise<void> {
  if (!login.value.trim() || !password.value) {
    tell(signIn.missing, login.value.trim() ? password : login);
    return;
  }
  tell("");
  busy(true);
  try {
    const answer = await fetch("/api/v1/session", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ login: login.value.trim(), password: password.value }),
    });
    if (answer.ok) {
      location.replace(next());
      return;
    }
    tell(why(answer));
    password.select();
  } catch {
    tell(signIn.unreachable);
  }
  busy(false);
}

form.noValidate = true; // the words are ours, beside the form, and read out
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void submit();
});

showing(show, [password]);

/** The site's own provider, where it has one. Without an answer the password still works. */
async function ways(): Promise<void> {
  const query = new URLSearchParams(location.search);
  const problem = query.get("provider");
  if (problem !== null) tell(signIn.provider[problem] ?? signIn.failed, null);
  const answer = await fetch("/api/v1/sign-in/ways");
  const { provider } = (await answer.json()) as Ways;
  if (!answer.ok || provider === null) return;
  const link = need("provider", HTMLAnchorElement);
  link.textContent = provider;
  link.search = new URLSearchParams({ next: next() }).toString();
  need("ways", HTMLParagraphElement).hidden = false;
}
void ways().catch(() => undefined);
