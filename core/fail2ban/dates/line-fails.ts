/**
 * Where the running Fail2ban stops with an error that it does not expect (a zone that it does not know, a day without
 * a month, a year outside of the calendar): it logs that the line could not be processed, and nothing in it counts.
 */
export class LineFails extends Error {}
