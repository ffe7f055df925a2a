/** Requests of Settings > Sign-in. */
import { ask } from "../../api";
import type {
  Account,
  ApiTokens,
  Ended,
  MadeToken,
  NewToken,
  PasswordChange,
  SignInSessions,
} from "../../wire";

const json = (method: string, body: object): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

export const account = () => ask<Account>("/api/v1/account");

export const changePassword = (body: PasswordChange) =>
  ask<Ended>("/api/v1/account/password", json("PUT", body));

export const sessions = (everybody: boolean) =>
  ask<SignInSessions>(`/api/v1/sessions${everybody ? "/all" : ""}`);

export const endSession = (id: string) =>
  ask<void>(`/api/v1/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });

export const endOthers = () => ask<Ended>("/api/v1/sessions", { method: "DELETE" });

export const tokens = (everybody: boolean) =>
  ask<ApiTokens>(`/api/v1/tokens${everybody ? "/all" : ""}`);

export const makeToken = (body: NewToken) => ask<MadeToken>("/api/v1/tokens", json("POST", body));

export const revokeToken = (id: string) =>
  ask<void>(`/api/v1/tokens/${encodeURIComponent(id)}`, { method: "DELETE" });
