#include "cli/object_table.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"

namespace sheaf::cli {

namespace {

Failure no_table() {
    return fail(Kind::corrupt, "the server's table of objects is none");
}

std::string upper(std::string_view text) {
    std::string made{text};
    for (auto& letter : made)
        if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    return made;
}

std::string cell_text(const Json& cell) {
    if (cell.is_null()) return {};
    const auto* text = cell.string();
    return showable(text ? *text : cell.text());
}

}  // namespace

Result<void> ObjectTable::begin(const Json& table) {
    const auto* columns = table.find("columnDefinitions");
    if (table.text_at({"kind"}) != "Table" || !columns || !columns->array()) return no_table();
    if (shown_.event) heading_.emplace_back("EVENT");
    if (shown_.name_space) heading_.emplace_back("NAMESPACE");
    for (std::size_t i = 0; i < columns->array()->size(); ++i) {
        const auto& column = columns->array()->at(i);
        const auto* priority = column.find("priority");
        if (!shown_.wide && priority && priority->integer().value_or(0) > 0) continue;
        heading_.push_back(upper(showable(column.text_at({"name"}))));
        cells_.push_back(i);
    }
    return {};
}

Result<void> ObjectTable::add(const Json& table, std::string_view event) {
    if (heading_.empty()) TRY(begin(table));
    const auto* rows = table.find("rows");
    if (!rows || !rows->array()) return no_table();
    for (const auto& row : *rows->array()) {
        const auto* cells = row.find("cells");
        if (!cells || !cells->array()) return no_table();
        std::vector<std::string> words;
        if (shown_.event) words.emplace_back(event);
        if (shown_.name_space)
            words.push_back(showable(row.text_at({"object", "metadata", "namespace"})));
        for (const auto place : cells_) {
            if (place >= cells->array()->size()) return no_table();
            words.push_back(cell_text(cells->array()->at(place)));
        }
        rows_.push_back(std::move(words));
    }
    return {};
}

std::string ObjectTable::take() {
    if (rows_.empty()) return {};
    if (!headed_) rows_.insert(rows_.begin(), heading_);
    headed_ = true;
    widths_.resize(heading_.size());
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths_[i] = std::max(widths_[i], row[i].size());
    std::string text;
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += fmt::format("{:<{}}", row[i], widths_[i] + 3);
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    rows_.clear();
    return text;
}

}  // namespace sheaf::cli
