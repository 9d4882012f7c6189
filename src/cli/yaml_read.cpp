#include "cli/yaml_read.h"

#include <yaml.h>

#include <map>
#include <set>

#include "base/bytes.h"
#include "base/json_path.h"
#include "base/json_value.h"
#include "cli/yaml_scalar.h"

namespace sheaf::cli {

namespace {

class Event {
  public:
    Event() = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() { yaml_event_delete(&event_); }

    yaml_event_t* operator->() { return &event_; }
    yaml_event_t* raw() { return &event_; }

  private:
    yaml_event_t event_{};
};

// libyaml's bytes are unsigned.
std::string text_of(const yaml_char_t* bytes, std::size_t length) {
    return std::string{as_text(std::as_bytes(std::span{bytes, length}))};
}
std::string text_of(const yaml_char_t* bytes) {
    std::size_t length = 0;
    while (bytes && bytes[length] != 0) ++length;
    return text_of(bytes, length);
}

class Reader {
  public:
    explicit Reader(std::string_view text) {
        ready_ = yaml_parser_initialize(&parser_) == 1;
        if (!ready_) return;
        const auto bytes = std::as_bytes(std::span{text});
        const void* data = bytes.data();
        yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser_, static_cast<const yaml_char_t*>(data), bytes.size());
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() {
        if (ready_) yaml_parser_delete(&parser_);
    }

    Result<std::vector<Json>> documents();

  private:
    // A value, and how much it is: an alias of it costs as much again.
    struct Anchored {
        Json value;
        std::size_t values;
        std::size_t bytes;
    };

    Failure wrong(std::string_view what, yaml_mark_t mark) const {
        return fail(Kind::invalid, "line {}: {}", mark.line + 1, what);
    }
    Failure parser_failure() const;
    Result<void> next(Event& event);
    Result<void> spend(std::size_t values, std::size_t bytes, yaml_mark_t mark);
    Result<Json> value(Event& event, std::size_t depth);
    Result<Json> content(Event& event, std::size_t depth);
    Result<Json> scalar(Event& event) const;
    Result<Json> sequence(std::size_t depth);
    Result<Json> mapping(std::size_t depth);
    Result<Json> alias(Event& event);
    Result<std::string> key(Event& event);

    yaml_parser_t parser_{};
    bool ready_ = false;
    std::map<std::string, Anchored> anchors_;
    std::size_t values_ = 0;
    std::size_t bytes_ = 0;
};

Failure Reader::parser_failure() const {
    const auto* const problem = parser_.problem ? parser_.problem : "it is no YAML";
    // What is no text has a place in bytes alone.
    if (parser_.error == YAML_READER_ERROR)
        return fail(Kind::invalid, "byte {}: {}", parser_.problem_offset, problem);
    return wrong(problem, parser_.problem_mark);
}

Result<void> Reader::next(Event& event) {
    yaml_event_delete(event.raw());
    if (!ready_ || yaml_parser_parse(&parser_, event.raw()) != 1) return parser_failure();
    return {};
}

Result<void> Reader::spend(std::size_t values, std::size_t bytes, yaml_mark_t mark) {
    values_ += values;
    bytes_ += bytes;
    if (values_ > yaml_value_limit)
        return wrong(fmt::format("more than {} values", yaml_value_limit), mark);
    if (bytes_ > yaml_text_limit)
        return wrong(fmt::format("more than {} bytes of text", yaml_text_limit), mark);
    return {};
}

Result<Json> Reader::scalar(Event& event) const {
    const auto& found = event->data.scalar;
    auto text = text_of(found.value, found.length);
    const auto tag = text_of(found.tag);
    if (tag == YAML_STR_TAG || (tag.empty() && found.style != YAML_PLAIN_SCALAR_STYLE) ||
        tag == "!")
        return Json{std::move(text)};
    auto plain = plain_scalar(text);
    if (!plain) return wrong(plain.error().text(), event->start_mark);
    if (tag.empty()) return plain;
    const bool fits = (tag == YAML_BOOL_TAG && plain->boolean()) ||
                      (tag == YAML_NULL_TAG && plain->is_null()) ||
                      (tag == YAML_INT_TAG && plain->type_name() == "a number") ||
                      (tag == YAML_FLOAT_TAG && plain->type_name() == "a number");
    if (fits) return plain;
    return wrong(fmt::format("the tag {} is not supported for {}", json::in_quotes(tag),
                             json::in_quotes(text)),
                 event->start_mark);
}

Result<Json> Reader::sequence(std::size_t depth) {
    Json::Array elements;
    Event event;
    while (true) {
        TRY(next(event));
        if (event->type == YAML_SEQUENCE_END_EVENT) return elements;
        elements.push_back(TRY(value(event, depth + 1)));
    }
}

// A name is text: a number or a boolean becomes the word that JSON has for it.
Result<std::string> Reader::key(Event& event) {
    if (event->type == YAML_ALIAS_EVENT) {
        const auto found = TRY(alias(event));
        if (const auto* text = found.string()) return *text;
        return wrong("a name that is no text", event->start_mark);
    }
    if (event->type != YAML_SCALAR_EVENT) return wrong("a name that is no text", event->start_mark);
    const auto mark = event->start_mark;
    const auto found = TRY(value(event, 0));
    if (const auto* text = found.string()) return *text;
    if (found.is_null()) return wrong("a name that is null", mark);
    return found.text();
}

Result<Json> Reader::mapping(std::size_t depth) {
    Json object = Json::object({});
    std::set<std::string, std::less<>> names;
    std::vector<Json> merged;
    Event event;
    while (true) {
        TRY(next(event));
        if (event->type == YAML_MAPPING_END_EVENT) break;
        const auto mark = event->start_mark;
        const bool merges = event->type == YAML_SCALAR_EVENT &&
                            event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                            text_of(event->data.scalar.value) == "<<";
        auto name = TRY(key(event));
        TRY(next(event));
        auto member = TRY(value(event, depth + 1));
        if (merges) {
            if (!member.object() && !member.array())
                return wrong("what is merged is no mapping", mark);
            if (const auto* several = member.array()) {
                merged.insert(merged.end(), several->begin(), several->end());
            } else {
                merged.push_back(std::move(member));
            }
        } else if (!names.insert(name).second) {
            return wrong(fmt::format("{} is given twice", json::in_quotes(name)), mark);
        } else {
            object.object()->push_back({std::move(name), std::move(member)});
        }
    }
    // What stands in the mapping itself counts, then what is merged first.
    for (auto& other : merged) {
        if (!other.object()) return fail(Kind::invalid, "what is merged is no mapping");
        for (auto& member : *other.object())
            if (names.insert(member.name).second) object.object()->push_back(std::move(member));
    }
    return object;
}

Result<Json> Reader::alias(Event& event) {
    const auto name = text_of(event->data.alias.anchor);
    const auto found = anchors_.find(name);
    if (found == anchors_.end())
        return wrong(fmt::format("*{} stands for nothing before it", name), event->start_mark);
    TRY(spend(found->second.values, found->second.bytes, event->start_mark));
    return found->second.value;
}

Result<Json> Reader::content(Event& event, std::size_t depth) {
    if (depth > json_depth_limit)
        return wrong(fmt::format("nested deeper than {} levels", json_depth_limit),
                     event->start_mark);
    switch (event->type) {
        case YAML_SCALAR_EVENT:
            TRY(spend(1, event->data.scalar.length, event->start_mark));
            return scalar(event);
        case YAML_SEQUENCE_START_EVENT: TRY(spend(1, 0, event->start_mark)); return sequence(depth);
        case YAML_MAPPING_START_EVENT: TRY(spend(1, 0, event->start_mark)); return mapping(depth);
        default: return wrong("a value is missing", event->start_mark);
    }
}

// The anchor of a value is known once all of it is: one that contains itself stands for nothing.
Result<Json> Reader::value(Event& event, std::size_t depth) {
    if (event->type == YAML_ALIAS_EVENT) return alias(event);
    std::string anchor;
    if (event->type == YAML_SCALAR_EVENT) anchor = text_of(event->data.scalar.anchor);
    if (event->type == YAML_SEQUENCE_START_EVENT)
        anchor = text_of(event->data.sequence_start.anchor);
    if (event->type == YAML_MAPPING_START_EVENT) anchor = text_of(event->data.mapping_start.anchor);
    const auto values = values_;
    const auto bytes = bytes_;
    auto found = TRY(content(event, depth));
    if (!anchor.empty())
        anchors_.insert_or_assign(anchor, Anchored{found, values_ - values, bytes_ - bytes});
    return found;
}

Result<std::vector<Json>> Reader::documents() {
    std::vector<Json> found;
    Event event;
    while (true) {
        TRY(next(event));
        if (event->type == YAML_STREAM_END_EVENT) return found;
        if (event->type == YAML_DOCUMENT_START_EVENT) {
            anchors_.clear();
            TRY(next(event));
            const auto mark = event->start_mark;
            auto document = TRY(value(event, 1));
            // Aliases may stand for something deep, deep in something.
            if (document.depth() > json_depth_limit)
                return wrong(fmt::format("nested deeper than {} levels", json_depth_limit), mark);
            if (!document.is_null()) found.push_back(std::move(document));
        }
    }
}

}  // namespace

Result<std::vector<Json>> read_documents(std::string_view text) {
    const auto start = text.find_first_not_of(" \t\r\n");
    if (start != text.npos && text[start] == '{')
        if (auto document = Json::parse(text)) return std::vector<Json>{*std::move(document)};
    return Reader{text}.documents();
}

}  // namespace sheaf::cli
