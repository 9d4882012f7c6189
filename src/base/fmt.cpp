// Why: Debian ships fmt's functions only as a shared library, which would bring the shared C++
// library into every process. They are compiled once, here (docs/decisions/0002-fmt.md).

// A grouped number ("{:L}") gets commas: nothing of Sheaf asks a locale, nor carries one.
#define FMT_STATIC_THOUSANDS_SEPARATOR ','
#include <fmt/format-inl.h>

namespace fmt::detail {

template thousands_sep_result<char> thousands_sep_impl(locale_ref);
template char decimal_point_impl(locale_ref);
template void buffer<char>::append(const char*, const char*);
template void vformat_to(buffer<char>&, string_view, basic_format_args<buffer_context<char>>,
                         locale_ref);

}  // namespace fmt::detail
