#!/bin/sh
# Every C file is as clang-format writes it. Needs version 14 to 19; they agree
# on our style. Arguments: the tree (default: this one).
cd "${1:-$(dirname "$0")/..}" || exit 2

find broker db web gpio ctl programs tests -name '*.[ch]' \
	-not -path '*/node_modules/*' -not -path '*/dist/*' -print0 |
	xargs -0 -r clang-format --dry-run -Werror 2>&1 |
	grep -E 'error:' | sed 's/ *\[-Wclang.*//' >"${TMPDIR:-/tmp}/format.$$"
wrong=$(cut -d: -f1 "${TMPDIR:-/tmp}/format.$$" | sort | uniq -c)
rm -f "${TMPDIR:-/tmp}/format.$$"
[ -z "$wrong" ] && exit 0
printf '%s\nnot formatted: run ./dev fmt\n' "$wrong"
exit 1
