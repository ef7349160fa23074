// Asks a GraphQL server every audit of the GraphQL-over-HTTP specification that graphql-http knows.
//
//     node audit.mjs http://127.0.0.1:8080/graphql [bearer token]
//
// Prints each audit that is not ok with what the server answered. Exits 0 only when there are as many audits as this
// project counts on and every one is ok: a warning (SHOULD, MAY) fails as an error (MUST) does.

import { serverAudits } from 'graphql-http';

const AUDITS = 61;
const TIMEOUT_MS = 10_000;

const [url, token] = process.argv.slice(2);
if (!url) {
  console.error('usage: node audit.mjs <url> [bearer token]');
  process.exit(2);
}

/** As `fetch`, with the caller's token and an end to waiting. */
function ask(input, init = {}) {
  const headers = new Headers(init.headers);
  if (token) headers.set('authorization', `Bearer ${token}`);
  return fetch(input, { ...init, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
}

/** What the server answered, in a few lines. */
async function answer(response) {
  if (!response) return '';
  const body = await response.clone().text().catch(() => '(body already read)');
  return `\n    answered ${response.status} ${response.headers.get('content-type') ?? ''}\n    ${body.slice(0, 600)}`;
}

const audits = serverAudits({ url, fetchFn: ask });
let ok = 0;
for (const audit of audits) {
  let result;
  try {
    result = await audit.fn();
  } catch (error) {
    result = { status: 'error', reason: `the server did not answer: ${error.cause?.message ?? error.message}` };
  }
  if (result.status === 'ok') {
    ok += 1;
  } else {
    console.log(`${result.status} ${audit.id} ${audit.name}: ${result.reason}${await answer(result.response)}`);
  }
}
const wanted = Math.max(audits.length, AUDITS);
console.log(`audits: ${ok} ok of ${wanted}`);
process.exit(ok === wanted ? 0 : 1);
