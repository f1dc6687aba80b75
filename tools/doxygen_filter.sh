#!/bin/sh
# The header with its plain comments in the form that Doxygen reads.
exec sed -E -e '1s|^// (.*)|/// @file\n/// \1|' -e '2,$s|^( *)// |\1/// |' -e 's|([;,{}].*[^ ]) +// |\1  ///< |; s|([;,{}]) +// |\1  ///< |' "$1"
