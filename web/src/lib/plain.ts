/**
 * JSON from the daemon, read so that its texts are harmless to look at. A caller's or a queue's name
 * comes from the telephone network and can hold anything: control characters, and marks that turn
 * the direction of writing for what stands behind them. Each is shown as one U+FFFD; names that are
 * written from right to left need none of these marks. And of marks above and below one letter only
 * the first few are left, or a stack of them covers the lines around.
 */

const SHOWN = "\ufffd";
const LITERAL = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
/** No script that people write needs more on one letter. */
const STACK = /(\p{M}{6})\p{M}+/gu;
/** JSON writes characters below U+0020 only as escapes; taken in pairs, so that `\\\\u001b` is none. */
const ESCAPE = /\\(?:u[0-9a-fA-F]{4}|.)/g;
const BAD = /^\\(?:u00[01]|u007f|u00[89]|u202[89a-e]|u206[6-9]|[bf])/i;

export function parse(json: string): unknown {
  let text = json.replace(LITERAL, SHOWN).replace(STACK, "$1");
  if (text.includes("\\")) text = text.replace(ESCAPE, (one) => (BAD.test(one) ? SHOWN : one));
  return JSON.parse(text);
}
