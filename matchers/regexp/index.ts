/**
 * The matcher on V8's regular expressions. It takes every filter. A block is searched once for the
 * literals that the filters require; only the lines found are read (date, header) and given to the
 * filters, each at most once.
 */
import { defineMatcher, type LineBlock, type Scanner } from '../../core/plugin.ts'
import { createFilterMatcher } from './filter-matcher.ts'
import { createPrefilter } from './prefilter.ts'

export default defineMatcher({
  compile(filters): Scanner {
    const prefilter = createPrefilter(filters)
    const matchers = filters.map(createFilterMatcher)
    return {
      took: filters.map((_, index) => index),
      scan(block: LineBlock, found): void {
        prefilter(block, (start, end) => {
          const head = block.head(start, end)
          for (let filter = 0; filter < matchers.length; filter++) {
            const match = matchers[filter]?.(head)
            if (match)
              found({ filter, rule: match.rule, start, end, address: match.address, head, groups: match.groups })
          }
        })
      },
    }
  },
})
