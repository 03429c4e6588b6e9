import type { Mail } from '../../../platform/mail/mail-sender.js';
import type { LinkPurpose } from './mail-links.types.js';

interface NoticeText {
  readonly subject: string;
  readonly text: string;
  /** What to do now, where it is not what is to be done about a sign-in. */
  readonly advice?: string;
}

/** What has happened to an account that its owner should hear of. */
export const NOTICES = {
  newDevice: {
    subject: 'A new device signed in to your account',
    text: 'A device that had not been used with your account before has signed in to it.',
  },
  familyRevoked: {
    subject: 'A session of yours was ended',
    text: 'A sign-in token of your account was used twice. Somebody may have a copy of it, so the session it belongs to was ended; sign in again where you need to.',
  },
  passwordChanged: {
    subject: 'Your password was changed',
    text: 'The password of your account was changed, and every other session was ended.',
  },
  reclaimed: {
    subject: 'Ways to sign in were removed from your account',
    text: 'You have proved this address for the first time. Nothing tells who had added a telephone number, a sign-in with Google or Apple or a second factor to your account before, so they were removed. Your new password is the only way in; add the others again as you like.',
  },
  phoneChanged: {
    subject: 'A telephone number was added to your account',
    text: 'A telephone number was set for your account, and codes sent to it sign in. If it is not yours, set your own number instead: a new password alone does not take it away.',
  },
  providerLinked: {
    subject: 'A way to sign in was added to your account',
    text: 'An account at Google or Apple was linked to your account and opens it from now on. If it is not yours, unlink it: a new password alone does not.',
  },
  providerUnlinked: {
    subject: 'A way to sign in was removed from your account',
    text: 'An account at Google or Apple was unlinked from your account and opens it no longer.',
  },
  secondFactorOn: {
    subject: 'The second factor of your account was turned on',
    text: 'Signing in to your account asks for a code of an authenticator from now on. Every other session was ended.',
  },
  secondFactorOff: {
    subject: 'The second factor of your account was turned off',
    text: 'Signing in to your account does not ask for a code of an authenticator any more.',
  },
  secondFactorRemoved: {
    subject: 'The second factor of your account was removed',
    text: 'Our support removed the second factor of your account, as it does for who has lost theirs, and ended every session.',
  },
  recoveryCodeUsed: {
    subject: 'A recovery code of your account was used',
    text: 'One of the recovery codes that stand for the second factor of your account was used.',
  },
  recoveryCodesRenewed: {
    subject: 'The recovery codes of your account were replaced',
    text: 'New recovery codes were made for your account, and the earlier ones work no longer.',
  },
  lockedOut: {
    subject: 'Sign-in to your account is slowed down',
    text: 'Somebody entered wrong passwords or codes for your account, so that further attempts have to wait. A new password, asked for with "forgotten password", lets you in at once.',
  },
  addressTried: {
    subject: 'Somebody tried to open an account with your address',
    text: 'Somebody, perhaps you, tried to open another account with this address. Nothing of your account was changed or shown.',
    advice:
      'If this was you, sign in instead, or ask for a new password with "forgotten password". If not, there is nothing to do. We tell you of this at most once a day.',
  },
  warned: {
    subject: 'A warning from our moderators',
    text: 'Other users reported you or something of yours, and our moderators have found that it was against the rules.',
    advice: 'Your account stays as it is. If it happens again, it may be banned.',
  },
  closing: {
    subject: 'Your account will be closed',
    text: 'You asked us to close your account. Your personal data will be erased at the end of the waiting time; until then you can sign in and take it back.',
  },
  withdrawalRequested: {
    subject: 'A withdrawal from your wallet was requested',
    text: 'Money is to be paid out of your wallet. It is held until then.',
  },
  withdrawalPaid: {
    subject: 'Your withdrawal was paid',
    text: 'The money that was to be paid out of your wallet is on its way to you. Banks may need some days.',
  },
  withdrawalRejected: {
    subject: 'Your withdrawal was not approved',
    text: 'We could not approve a withdrawal from your wallet. The money is back in it.',
    advice: 'Please ask our support if you do not know why.',
  },
  withdrawalFailed: {
    subject: 'Your withdrawal could not be paid',
    text: 'A withdrawal from your wallet could not be paid where it was to go. The money is back in your wallet.',
    advice: 'Please check where it was to be paid to, and request it again.',
  },
  withdrawalReturned: {
    subject: 'Your withdrawal came back',
    text: 'Money that was paid out of your wallet was sent back to us, and is in your wallet again.',
    advice: 'Please check where it was to be paid to, and request it again.',
  },
  identityVerified: {
    subject: 'Your identity is verified',
    text: 'We have seen who you are, and your birth date. There is nothing more to do.',
  },
  identityRejected: {
    subject: 'Your identity could not be verified',
    text: 'What you have shown us did not let us know who you are.',
    advice: 'Open the app to see why, and to begin again.',
  },
  identityAskedAgain: {
    subject: 'Please send your documents again',
    text: 'What you have sent to show who you are was not enough.',
    advice: 'Open the app to see why, and to send it again.',
  },
  identityExpired: {
    subject: 'Please show again who you are',
    text: 'Your identity was verified a long time ago, or the document has ended.',
    advice: 'Open the app to show it again. Until then larger withdrawals and deposits have to wait.',
  },
  identityRevoked: {
    subject: 'Your identity is verified no longer',
    text: 'We have found that what had shown who you are cannot be relied on.',
    advice: 'Please ask our support.',
  },
} as const satisfies Record<string, NoticeText>;
export type Notice = keyof typeof NOTICES;

const LINKS: Record<LinkPurpose, { subject: string; path: string; lead: string; action: string }> = {
  email_verification: {
    subject: 'Verify your email',
    path: 'verify-email',
    lead: 'Please verify that this address is yours. You will be asked to sign in, if you are not.',
    action: 'Verify my email',
  },
  password_reset: {
    subject: 'Choose a new password',
    path: 'reset-password',
    lead: 'Somebody asked for a new password for your account.',
    action: 'Choose a new password',
  },
};

const DEVICE = /^[A-Za-z0-9 _()-]{1,60}$/;

const IGNORE =
  'If this was not you, do nothing: without the link nothing changes. Never pass it on to anybody.';
const REACT =
  'If this was you, there is nothing to do. If not, choose a new password at once and end the sessions that you do not know.';

/**
 * The mail that carries a link. The token stands behind the `#`, which browsers send to no server and put into no Referer.
 * Of what people choose themselves only the handle is in a mail, whose letters cannot make a link or a header.
 */
export function linkMail(
  purpose: LinkPurpose,
  to: { email: string; handle: string; token: string },
  appUrl: string,
  seconds: number,
): Mail {
  const { subject, path, lead, action } = LINKS[purpose];
  const link = `${appUrl}/${path}#token=${to.token}`;
  const limit = `The link works once, within ${durationOf(seconds)}.`;
  return mailOf(to, subject, [lead, { action, link }, limit, IGNORE]);
}

export function noticeMail(
  notice: Notice,
  to: { email: string; handle: string; device: string | null },
  appUrl: string,
): Mail {
  const { subject, text, advice = REACT }: NoticeText = NOTICES[notice];
  // The device is what a client calls itself: shown when it cannot be read as an address of the web.
  const device = to.device !== null && DEVICE.test(to.device) ? [`Device: ${to.device}`] : [];
  return mailOf(to, subject, [text, ...device, advice, { action: 'Go to your account', link: appUrl }]);
}

type Paragraph = string | { action: string; link: string };

function mailOf(to: { email: string; handle: string }, subject: string, body: readonly Paragraph[]): Mail {
  const paragraphs: Paragraph[] = [`Hello ${to.handle},`, ...body, 'Parley'];
  const text = paragraphs.map((one) => (typeof one === 'string' ? one : `${one.action}:\n${one.link}`));
  const html = paragraphs.map((one) =>
    typeof one === 'string'
      ? `<p>${escaped(one)}</p>`
      : `<p><a href="${escaped(one.link)}">${escaped(one.action)}</a></p>`,
  );
  return {
    to: to.email,
    subject,
    text: `${text.join('\n\n')}\n`,
    html: `<!doctype html><html lang="en"><body>${html.join('')}</body></html>\n`,
  };
}

function durationOf(seconds: number): string {
  const [amount, unit] =
    seconds % 3600 === 0 ? [seconds / 3600, 'hour'] : [Math.round(seconds / 60), 'minute'];
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
