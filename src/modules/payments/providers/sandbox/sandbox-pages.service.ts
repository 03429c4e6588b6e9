import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { httpErrors } from '../../../../platform/http/http.errors.js';
import { SandboxCheckoutsService } from './sandbox-checkouts.service.js';
import { checkoutPage, pagePolicy } from './sandbox-page.js';
import type { CheckoutRow } from './sandbox.repository.js';
import {
  SANDBOX_DELIVERIES,
  SANDBOX_OUTCOMES,
  type SandboxDelivery,
  type SandboxOutcome,
} from './sandbox.types.js';

/** The hosted page, and the way back to the shop. */
@Injectable()
export class SandboxPagesService {
  constructor(private readonly checkouts: SandboxCheckoutsService) {}

  /** Throws NOT_FOUND. */
  async show(id: string, response: Response): Promise<string> {
    return page(await this.checkouts.row({ id }), response);
  }

  /** Whatever was decided before, the payer goes back to the shop. Throws NOT_FOUND, VALIDATION_FAILED. */
  async decide(id: string, form: URLSearchParams, response: Response): Promise<string> {
    const outcome = choiceOf<SandboxOutcome>(form, 'outcome', SANDBOX_OUTCOMES);
    const delivery = choiceOf<SandboxDelivery>(form, 'delivery', SANDBOX_DELIVERIES, 'at_once');
    const renewalsFail = form.get('renewals') === 'fail';
    const checkout = await this.checkouts.decide(id, { outcome, delivery, renewalsFail });
    response.setHeader('Location', checkout.return_url ?? '');
    return page(checkout, response);
  }
}

function choiceOf<Choice extends string>(
  form: URLSearchParams,
  field: string,
  known: readonly Choice[],
  usual?: Choice,
): Choice {
  const given = form.get(field) ?? usual;
  const choice = known.find((one) => one === given);
  if (choice === undefined)
    throw httpErrors.VALIDATION_FAILED({
      fields: [{ field, problems: [`${field} must be one of ${known.join(', ')}`] }],
    });
  return choice;
}

function page(checkout: CheckoutRow, response: Response): string {
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.setHeader('Content-Security-Policy', pagePolicy(checkout.return_url));
  response.setHeader('Cache-Control', 'no-store');
  return checkoutPage(checkout);
}
