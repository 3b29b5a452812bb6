/** The line of a failed login, as rsyslog writes it now. */
export function failedLogin(address: string): string {
  return `${new Date().toISOString()} host sshd[${1 + Math.floor(Math.random() * 99_999)}]: Failed password for root from ${address} port 4711 ssh2\n`
}
