/** An export as its user sees it; times are ISO 8601. */
export interface ExportState {
  id: string;
  status: 'queued' | 'running' | 'ready';
  progress: { sectionsDone: number; sectionsTotal: number | null; bytes: number };
  requestedAt: string;
  readyAt: string | null;
  expiresAt: string | null;
  downloadUrl: string | null;
}
