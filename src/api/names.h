#pragma once

// Why: names, labels and quantities have the grammar that Kubernetes gives them; what does not fit
// is refused before it is stored.

#include <string_view>

namespace sheaf::api {

// RFC 1123: letters a-z, digits, "-" and, between labels, "."; at most 253 bytes.
bool is_subdomain(std::string_view text);
// The same without points, at most 63 bytes.
bool is_label(std::string_view text);
// "app", "example.org/app": a name of at most 63 bytes with an optional prefix.
bool is_qualified_name(std::string_view text);
// Empty, or as the name of a qualified name.
bool is_label_value(std::string_view text);
// A decimal number with a suffix of Kubernetes: "2", "1.5", "512Mi", "100m", "1e3". Not negative.
bool is_quantity(std::string_view text);
// RFC 3339: "2026-01-31T12:00:00Z", with a fraction and an offset or without.
bool is_time(std::string_view text);

}  // namespace sheaf::api
