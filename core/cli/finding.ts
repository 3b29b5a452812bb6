/** What `bailiff doctor` says: a grade, one sentence, and the command that mends it. */
export interface DoctorFinding {
  /** `problem`: bans may not come, or may hit the wrong ones. `note`: somebody should know. */
  readonly grade: 'ok' | 'note' | 'problem'
  /** What was looked at, in a word: `firewall`. */
  readonly subject: string
  /** Without its period. May hold text of the host: to be made printable where it is shown. */
  readonly text: string
  readonly mend: string | null
}

export const ok = (subject: string, text: string): DoctorFinding => ({ grade: 'ok', subject, text, mend: null })

export const note = (subject: string, text: string, mend: string | null = null): DoctorFinding => ({
  grade: 'note',
  subject,
  text,
  mend,
})

export const problem = (subject: string, text: string, mend: string | null): DoctorFinding => ({
  grade: 'problem',
  subject,
  text,
  mend,
})
