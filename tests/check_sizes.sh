#!/bin/sh
# A file has at most 600 lines, a function at most 70 (from the line of its "{"
# in the first column to that of its "}"). Arguments: the tree.
cd "${1:-$(dirname "$0")/..}" || exit 2

awk '
FNR == 1 { start = 0 }
/^{/ { start = FNR }
/^}/ && start {
	if (FNR - start - 1 > 70) {
		printf "%s:%d: function of %d lines, 70 is the limit\n",
		       FILENAME, start, FNR - start - 1
		bad = 1
	}
	start = 0
}
FNR == 601 {
	printf "%s: more than 600 lines: split it\n", FILENAME
	bad = 1
}
END { exit bad }
' $(find broker db web gpio ctl programs tests -name '*.[ch]' \
	-not -path '*/node_modules/*' -not -path '*/dist/*') /dev/null
