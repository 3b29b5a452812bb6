/**
 * The objects of libnftables-json(5) that this module can speak of. The names of the keys are those
 * of the format. A builder checks what types cannot: names, and that there is something in a list.
 */

export type Family = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev'

/** Where an object lives. */
export interface InTable {
  readonly family: Family
  readonly table: string
}

export interface Table {
  readonly family: Family
  readonly name: string
}

/** A chain that other chains jump to. */
export interface RegularChain extends InTable {
  readonly name: string
}

/** A chain that the kernel calls. All of its four keys are given, or none. */
export interface BaseChain extends InTable {
  readonly name: string
  readonly type: 'filter' | 'nat' | 'route'
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'ingress'
  readonly prio: number
  readonly policy: 'accept' | 'drop'
}

export type Chain = RegularChain | BaseChain

export type SetType = 'ipv4_addr' | 'ipv6_addr' | 'ether_addr' | 'inet_proto' | 'inet_service' | 'mark' | 'ifname'

export interface Set extends InTable {
  readonly name: string
  readonly type: SetType
  readonly flags?: readonly ('constant' | 'interval' | 'timeout' | 'dynamic')[]
  /** How many elements it takes at most. */
  readonly size?: number
  /** Seconds that an element without a time of its own stays. */
  readonly timeout?: number
}

export type ElementValue = string | number

/** An element: its value, or its value with the seconds that it stays (1 at least). */
export type Element =
  | ElementValue
  | { readonly elem: { readonly val: ElementValue; readonly timeout?: number; readonly comment?: string } }

/** The name of a set where an expression looks something up. */
export type SetReference = `@${string}`

/** The fields of packets, by protocol. */
export interface PayloadFields {
  readonly ip: 'saddr' | 'daddr' | 'protocol'
  readonly ip6: 'saddr' | 'daddr' | 'nexthdr'
  readonly tcp: 'sport' | 'dport'
  readonly udp: 'sport' | 'dport'
}

/** A field, always one of its own protocol. */
export type Payload = {
  [Protocol in keyof PayloadFields]: {
    readonly payload: { readonly protocol: Protocol; readonly field: PayloadFields[Protocol] }
  }
}[keyof PayloadFields]

export interface BitwiseAnd {
  readonly '&': readonly [Payload, string | number]
}

export interface Match {
  readonly match: {
    readonly op: '==' | '!=' | '<' | '>' | '<=' | '>='
    readonly left: Payload | BitwiseAnd
    readonly right: ElementValue | SetReference | { readonly set: readonly ElementValue[] }
  }
}

export type Statement =
  | Match
  | { readonly counter: { readonly packets: number; readonly bytes: number } | null }
  | { readonly drop: null }
  | { readonly accept: null }

export interface Rule extends InTable {
  readonly chain: string
  readonly expr: readonly Statement[]
  readonly comment?: string
}

export interface Elements extends InTable {
  /** The name of the set. */
  readonly name: string
  readonly elem: readonly Element[]
}

/** What a command acts on: one key that says what it is. */
export type NftObject =
  | { readonly table: Table }
  | { readonly chain: Chain }
  | { readonly set: Set }
  | { readonly rule: Rule }
  | { readonly element: Elements }

/** One command. All commands of one run are one transaction of the kernel, carried out in order. */
export type Command =
  | { readonly add: NftObject }
  | { readonly create: { readonly element: Elements } }
  | { readonly delete: { readonly table: Table } | { readonly chain: RegularChain } | NamedSet | DeletedElements }
  | { readonly flush: { readonly table: Table } | { readonly chain: RegularChain } | NamedSet }
  | { readonly list: Listable }

export interface NamedSet {
  readonly set: InTable & { readonly name: string }
}

/** Elements are deleted by value alone. */
export interface DeletedElements {
  readonly element: InTable & { readonly name: string; readonly elem: readonly ElementValue[] }
}

/** What can be listed: one thing, or all of a kind in a family. */
export type Listable =
  | { readonly table: Table }
  | { readonly chain: RegularChain }
  | NamedSet
  | { readonly tables: { readonly family: Family } }
  | { readonly chains: { readonly family: Family } }
  | { readonly sets: { readonly family: Family } }
  | { readonly ruleset: { readonly family: Family } }
