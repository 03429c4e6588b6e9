import { createHash } from 'node:crypto';
import { minorUnitDigits } from '../../../../platform/money/money.js';
import type { CheckoutRow } from './sandbox.repository.js';

const STYLE = `
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem}
.note{border:1px solid #b58900;border-radius:6px;padding:.5rem .75rem;font-size:.875rem}
.amount{font-size:2.25rem;margin:.5rem 0}
fieldset{border:1px solid #8888;border-radius:6px;margin:1.5rem 0;padding:.5rem .75rem}
legend,label{font-size:.875rem}label{display:block}
button{display:block;width:100%;font:inherit;padding:.625rem;margin:.5rem 0;border:1px solid #8888;border-radius:6px;cursor:pointer}
button.pay{background:#0b6e4f;border-color:#0b6e4f;color:#fff}
`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/**
 * The page's own policy: no script, no picture, nothing from elsewhere. Browsers hold `form-action` against where the answer to
 * a form leads as well, so that the shop's origin stands in it.
 */
export function pagePolicy(returnUrl: string | null): string {
  const shop = returnUrl === null ? '' : ` ${URL.parse(returnUrl)?.origin ?? ''}`;
  return [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    `form-action 'self'${shop}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}

/** Where somebody pays, declines or walks away. */
export function checkoutPage(checkout: CheckoutRow): string {
  return document(
    `Pay ${amountOf(checkout)}`,
    `<p class="note">This is the sandbox: no money moves here.</p>
<h1>${escaped(checkout.description)}</h1>
<p class="amount">${escaped(amountOf(checkout))}${checkout.recurring ? ' <small>a month</small>' : ''}</p>
${checkout.status === 'open' ? form(checkout) : ended(checkout)}`,
  );
}

function form({ recurring }: CheckoutRow): string {
  return `<form method="post">
<button class="pay" name="outcome" value="pay">Pay</button>
<button name="outcome" value="decline">Have the card declined</button>
<button name="outcome" value="decline_then_pay">Have it declined, and paid ten seconds later</button>
<button name="outcome" value="abandon">Walk away</button>
<fieldset><legend>The shop is told</legend>
<label><input type="radio" name="delivery" value="at_once" checked> at once</label>
<label><input type="radio" name="delivery" value="late"> half a minute late</label>
<label><input type="radio" name="delivery" value="twice"> twice</label>
<label><input type="radio" name="delivery" value="out_of_order"> out of order</label>
</fieldset>
${recurring ? '<fieldset><legend>Later</legend><label><input type="checkbox" name="renewals" value="fail"> let the renewals fail</label></fieldset>' : ''}
</form>`;
}

function ended({ status, return_url }: CheckoutRow): string {
  const back = return_url === null ? '' : `<p><a href="${escaped(return_url)}">Back to the shop</a></p>`;
  return `<p>This payment is ${status}.</p>${back}`;
}

function document(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head><body><main>
${body}
</main></body></html>
`;
}

/** In the currency's own digits: 10.50 USD, 1050 XAF. */
function amountOf({ amount, currency }: CheckoutRow): string {
  const digits = minorUnitDigits(currency);
  const text = amount.padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits);
  return `${digits === 0 ? whole : `${whole}.${text.slice(-digits)}`} ${currency}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
