/** What stands in a command of Fail2ban's command stream. A `bigint` is a whole number too large to be exact otherwise. */
export type CommandValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly CommandValue[]
  | { readonly [name: string]: CommandValue }

/** One command as Fail2ban's reader sends it to its server: `['set', 'sshd', 'maxretry', 5]`. */
export type Command = readonly CommandValue[]
