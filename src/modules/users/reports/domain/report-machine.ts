import { defineMachine } from '../../../../platform/state-machine.js';
import type { ReportDecision, ReportState } from '../reports.types.js';

/** A report is decided once. */
export const reportMachine = defineMachine<ReportState, ReportDecision>('report', {
  initial: 'open',
  transitions: {
    open: { dismiss: 'dismissed', warn: 'warned', ban: 'banned' },
    dismissed: {},
    warned: {},
    banned: {},
  },
});
