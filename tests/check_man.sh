#!/bin/sh
# Every man page is correct mdoc. Arguments: the tree (default: this one).
cd "${1:-$(dirname "$0")/..}" || exit 2
status=0
for page in $(find . -name '*.[158]' -not -path './build*' \
	-not -path '*/node_modules/*'); do
	mandoc -T lint -W warning "$page" || status=1
done
exit $status
