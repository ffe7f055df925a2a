/**
 * The page of a one-time link. Its token stands behind the # of the address, which no server and no
 * Referer gets; it is taken from there at once, so that it stays in no history either.
 */
import { signIn } from "../texts";
import type { LinkPurpose, LinkUse, ProblemDetail } from "../wire";
import { need, showing } from "./parts";
import "./sign-in.css";

const form = need("link", HTMLFormElement);
const lead = need("lead", HTMLParagraphElement);
const problem = need("problem", HTMLParagraphElement);
const name = need("name", HTMLInputElement);
const login = need("login", HTMLInputElement);
const password = need("password", HTMLInputElement);
const again = need("again", HTMLInputElement);
const send = need("send", HTMLButtonElement);
const inputs: Record<string, HTMLInputElement> = { name, login, password, again };

const token = location.hash.slice(1);
let administrator = false;

async function post(path: string, body: object): Promise<Response> {
  return fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body),
  });
}

function tell(text: string, field?: string): void {
  problem.textContent = text;
  for (const [key, input] of Object.entries(inputs)) {
    if (key === field) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  if (field !== undefined) inputs[field]?.focus();
}

function gone(): void {
  need("fields", HTMLDivElement).hidden = true;
  lead.hidden = true;
  need("back", HTMLParagraphElement).hidden = false;
  tell(signIn.linkGone);
}

function waits(answer: Response): string {
  const seconds = Number(answer.headers.get("retry-after"));
  return seconds > 0 ? signIn.tooManyFor.replace("{s}", String(Math.ceil(seconds))) : signIn.tooMany;
}

async function look(): Promise<void> {
  if (token === "") return gone();
  const answer = await post("/api/v1/links/look", { token });
  if (answer.status === 400 || answer.status === 404) return gone();
  if (answer.status === 429) return tell(waits(answer));
  if (!answer.ok) return tell(signIn.linkUnreachable);
  history.replaceState(null, "", location.pathname);
  const purpose = (await answer.json()) as LinkPurpose;
  administrator = purpose.purpose === "administrator";
  lead.textContent = administrator
    ? signIn.linkAdministrator
    : signIn.linkPassword.replace("{name}", purpose.name ?? "");
  need("who", HTMLDivElement).hidden = !administrator;
  login.readOnly = !administrator;
  login.value = purpose.login ?? "";
  need("rules", HTMLParagraphElement).textContent = signIn.rules.replace("{rules}", purpose.password_rules);
  need("fields", HTMLDivElement).hidden = false;
  (administrator ? name : password).focus();
}

function sentence(rule: string): string {
  return `${rule.charAt(0).toUpperCase()}${rule.slice(1)}.`;
}

async function submit(): Promise<void> {
  const missing = Object.entries(inputs).find(
    ([key, input]) => !input.value.trim() && (administrator || key !== "name"),
  );
  if (missing) return tell(signIn.linkMissing, missing[0]);
  if (password.value !== again.value) return tell(signIn.notSame, "again");
  tell("");
  send.disabled = true;
  try {
    const body: LinkUse = {
      token,
      password: password.value,
      name: administrator ? name.value.trim() : null,
      login: administrator ? login.value.trim() : null,
    };
    const answer = await post("/api/v1/links/use", body);
    if (answer.ok) {
      location.replace("/");
      return;
    }
    const why = (await answer.json().catch(() => null)) as ProblemDetail | null;
    if (answer.status === 404) gone();
    else if (answer.status === 429) tell(waits(answer));
    else if (answer.status === 400 && why) tell(sentence(why.message), why.field ?? undefined);
    else tell(signIn.failed);
  } catch {
    tell(signIn.unreachable);
  }
  send.disabled = false;
}

form.noValidate = true; // the words are ours, beside the form, and read out
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void submit();
});
showing(need("show", HTMLButtonElement), [password, again]);
// Another link opened in the same window changes nothing but what stands behind the #.
addEventListener("hashchange", () => location.reload());
void look().catch(() => tell(signIn.linkUnreachable));
