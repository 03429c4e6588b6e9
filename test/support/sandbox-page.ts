/** Somebody in front of the sandbox's page. */
export async function onSandboxPage(
  url: string,
  choice: { outcome: string; delivery?: string; renewals?: string },
): Promise<{ status: number; location: string | null }> {
  const answer = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams(choice),
    redirect: 'manual',
  });
  await answer.text();
  return { status: answer.status, location: answer.headers.get('location') };
}
