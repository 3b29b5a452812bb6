/**
 * Numbers of the kernel's interface, by the names of its headers without their common beginnings:
 * linux/netlink.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h. Kernels from 5.10 on
 * know all that is sent; later ones send more, which is left unread.
 */

/** Kinds of control messages. */
export const control = { noop: 1, error: 2, done: 3, overrun: 4, batchBegin: 16, batchEnd: 17 } as const

/** Flags of a message. `dumpInterrupted` comes from the kernel alone, `exclusive` and those after it go to it. */
export const flag = {
  request: 0x1,
  ack: 0x4,
  dumpInterrupted: 0x10,
  /** In an error: the request is not copied behind it. */
  capped: 0x100,
  /** In an error: attributes follow. */
  explained: 0x200,
  dump: 0x300,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
} as const

/** Subsystems of netfilter; the upper byte of a message's type. */
export const subsystem = { conntrack: 1, nftables: 10 } as const

/** Families of netfilter. `any` asks for all of them. */
export const family = { any: 0, inet: 1, ip: 2, ip6: 10 } as const

/** Messages of nf_tables; the lower byte of a message's type. */
export const message = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  deleteChain: 5,
  newRule: 6,
  getRule: 7,
  deleteRule: 8,
  newSet: 9,
  getSet: 10,
  deleteSet: 11,
  newElement: 12,
  getElement: 13,
  deleteElement: 14,
  newGeneration: 15,
  getGeneration: 16,
  getObject: 19,
  getFlowtable: 23,
} as const

/** Messages of connection tracking (linux/netfilter/nfnetlink_conntrack.h). */
export const trackingMessage = { get: 1, delete: 2 } as const

/** Attributes of a tracked connection. `tuple` is the original direction; a tuple has a nest of addresses and one of ports. */
export const tracking = {
  tuple: 1,
  zone: 18,
  filter: 25,
  tupleAddresses: 1,
  tuplePorts: 2,
  source4: 1,
  source6: 3,
  protocol: 1,
  destinationPort: 3,
  filterOriginal: 1,
  /** A flag in `filterOriginal`, in the byte order of the machine: the source must be the same. */
  bySource: 1,
} as const

/** Attributes, by the object that has them. */
export const attribute = {
  batch: { generation: 1 },
  error: { text: 1 },
  generation: { id: 1 },
  list: { element: 1 },
  table: { name: 1, flags: 2 },
  chain: { table: 1, name: 3, hook: 4, policy: 5, type: 7 },
  hook: { number: 1, priority: 2 },
  rule: { table: 1, chain: 2, expressions: 4 },
  expression: { name: 1, data: 2 },
  data: { value: 1, verdict: 2 },
  verdict: { code: 1 },
  /** The count is told by kernels from 6.17 on. */
  set: {
    table: 1,
    name: 2,
    flags: 3,
    keyType: 4,
    keyLength: 5,
    describes: 9,
    id: 10,
    timeout: 11,
    userData: 13,
    count: 20,
  },
  setDescription: { size: 1 },
  elements: { table: 1, set: 2, list: 3, setId: 4 },
  element: { key: 1, timeout: 4, expiration: 5 },
  /** The same for all objects that have no numbers of their own here. */
  object: { table: 1, name: 2 },
  meta: { register: 1, key: 2 },
  cmp: { register: 1, operator: 2, data: 3 },
  payload: { register: 1, base: 2, offset: 3, length: 4 },
  bitwise: { source: 1, register: 2, length: 3, mask: 4, xor: 5, operator: 6 },
  lookup: { set: 1, register: 2, setId: 4, flags: 5 },
  immediate: { register: 1, data: 2 },
} as const

/** What a set may be. */
export const setFlag = { anonymous: 0x1, constant: 0x2, interval: 0x4, map: 0x8, timeout: 0x10 } as const

/** Types of keys, which only nft gives a meaning (its `enum datatypes`). */
export const keyType = { ipv4: 7, ipv6: 8, port: 13 } as const

export const meta = { nfproto: 15, l4proto: 16 } as const
export const payloadBase = { network: 1, transport: 2 } as const
export const protocolNumber = { tcp: 6, udp: 17 } as const

/** Errors, positive (asm-generic/errno.h). */
export const errno = {
  notPermitted: 1,
  missing: 2,
  interrupted: 4,
  again: 11,
  denied: 13,
  busy: 16,
  exists: 17,
  tableFull: 23,
  restart: 85,
  noBuffers: 105,
} as const
