#include "api/table.h"

#include <array>
#include <charconv>

#include <fmt/core.h>

#include "api/names.h"
#include "api/selector.h"

namespace sheaf::api {

namespace {

Json definition(std::string_view name, std::string_view format, std::string_view description,
                int priority) {
    return Json::object({{"name", name},
                         {"type", "string"},
                         {"format", format},
                         {"description", description},
                         {"priority", priority}});
}

Json definitions_of(const Kind& kind) {
    Json::Array definitions{
        definition("Name", "name", "unique among the kind in its namespace", 0)};
    for (const auto& column : kind.columns)
        definitions.push_back(definition(column.name, "", column.description, column.priority));
    definitions.push_back(definition("Age", "", "since it was created", 0));
    return definitions;
}

Json partial(const Json& object) {
    auto metadata = object.find("metadata") ? *object.find("metadata") : Json::object({});
    return Json::object({{"kind", "PartialObjectMetadata"},
                         {"apiVersion", "meta.k8s.io/v1"},
                         {"metadata", std::move(metadata)}});
}

Json row_of(const Kind& kind, const Json& object, Include include, WallClock::TimePoint now) {
    Json::Array cells{object.text_at({"metadata", "name"})};
    for (const auto& column : kind.columns) {
        const auto text = text_at_path(object, column.path);
        cells.push_back(is_time(text) ? age_of(text, now) : text);
    }
    cells.push_back(age_of(object.text_at({"metadata", "creationTimestamp"}), now));
    auto row = Json::object({{"cells", std::move(cells)}});
    if (include == Include::metadata) row["object"] = partial(object);
    if (include == Include::object) row["object"] = object;
    return row;
}

int number_at(std::string_view text, std::size_t place, std::size_t length) {
    int number = 0;
    std::from_chars(text.data() + place, text.data() + place + length, number);
    return number;
}

}  // namespace

Json table_of(const Kind& kind, std::span<const Json> objects, Json list_metadata, Include include,
              WallClock::TimePoint now) {
    Json::Array rows;
    for (const auto& object : objects) rows.push_back(row_of(kind, object, include, now));
    return Json::object({{"kind", "Table"},
                         {"apiVersion", "meta.k8s.io/v1"},
                         {"metadata", std::move(list_metadata)},
                         {"columnDefinitions", definitions_of(kind)},
                         {"rows", std::move(rows)}});
}

std::string age_of(std::string_view time, WallClock::TimePoint now) {
    using namespace std::chrono_literals;
    if (!is_time(time)) return "<unknown>";
    const std::chrono::year_month_day date{std::chrono::year{number_at(time, 0, 4)},
                                           std::chrono::month(number_at(time, 5, 2)),
                                           std::chrono::day(number_at(time, 8, 2))};
    const auto then = std::chrono::sys_days{date} + std::chrono::hours{number_at(time, 11, 2)} +
                      std::chrono::minutes{number_at(time, 14, 2)} +
                      std::chrono::seconds{number_at(time, 17, 2)};
    const auto age = std::chrono::floor<std::chrono::seconds>(now) - then;
    const auto days = age / 24h;
    if (age < 0s) return "0s";
    if (age < 2min) return fmt::format("{}s", age / 1s);
    if (age < 10min && age % 1min != 0s) return fmt::format("{}m{}s", age / 1min, age % 1min / 1s);
    if (age < 3h) return fmt::format("{}m", age / 1min);
    if (age < 8h && age % 1h >= 1min) return fmt::format("{}h{}m", age / 1h, age % 1h / 1min);
    if (age < 48h) return fmt::format("{}h", age / 1h);
    if (days < 8 && age % 24h >= 1h) return fmt::format("{}d{}h", days, age % 24h / 1h);
    if (days < 730) return fmt::format("{}d", days);
    return fmt::format("{}y", days / 365);
}

}  // namespace sheaf::api
