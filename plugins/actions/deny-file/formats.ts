import type { Prefix } from '../../../core/plugin.ts'

/** How a program wants its list, by the name of the format: one line for a prefix, without the newline. */
export const formats = {
  /** A file that is included in http, server or location. */
  nginx: (prefix: Prefix) => `deny ${prefix};`,
  /** A file that is included in `geo $banned { default 0; include …; }`. */
  'nginx-geo': (prefix: Prefix, value: string) => `${prefix} ${value};`,
  /** A file of an acl: `http-request deny if { src -f … }`. */
  haproxy: (prefix: Prefix) => prefix,
  /** A file of a map: `http-request deny if { src,map_ip(…) -m found }`. */
  'haproxy-map': (prefix: Prefix, value: string) => `${prefix} ${value}`,
  /** One prefix a line. */
  plain: (prefix: Prefix) => prefix,
} satisfies Readonly<Record<string, (prefix: Prefix, value: string) => string>>

export type Format = keyof typeof formats
