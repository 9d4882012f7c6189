#include "cli/object_verb.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/json_encode.h"
#include "base/json_path.h"
#include "cli/yaml_read.h"

namespace sheaf::cli {

namespace {

constexpr std::size_t longest_file = std::size_t{16} << 20;

void write_pretty(const Json& value, std::size_t indent, std::string& out) {
    const std::string inner(indent + 2, ' ');
    const auto* members = value.object();
    const auto* elements = value.array();
    if (members && !members->empty()) {
        out += '{';
        for (const auto& [name, member] : *members) {
            out += &name == &members->front().name ? "\n" : ",\n";
            out += inner;
            json::encode_value(std::string_view{name}, out);
            out += ": ";
            write_pretty(member, indent + 2, out);
        }
        out += '\n' + std::string(indent, ' ') + '}';
    } else if (elements && !elements->empty()) {
        out += '[';
        for (const auto& element : *elements) {
            out += &element == &elements->front() ? "\n" : ",\n";
            out += inner;
            write_pretty(element, indent + 2, out);
        }
        out += '\n' + std::string(indent, ' ') + ']';
    } else {
        value.write(out);
    }
}

// A List of any kind is its items.
void add_objects(const std::string& file, Json document, std::vector<FileObject>& into) {
    auto* items = document.find("items");
    if (items && items->array() && document.text_at({"kind"}).ends_with("List")) {
        for (auto& item : *items->array()) into.push_back({file, std::move(item)});
    } else {
        into.push_back({file, std::move(document)});
    }
}

}  // namespace

std::string to_pretty_json(const Json& value) {
    std::string text;
    write_pretty(value, 0, text);
    return text + '\n';
}

Result<std::string> namespace_of(const Arguments& arguments) {
    auto name = TRY(arguments.one("n", "default"));
    if (!arguments.has("A")) return name;
    if (arguments.has("n")) return fail(Kind::invalid, "-A and -n are two things");
    return std::string{};
}

Result<Target> target_of(const Arguments& arguments) {
    auto name_space = TRY(namespace_of(arguments));
    auto client = TRY(ApiClient::of(arguments));
    const auto resources = TRY(Resources::discover(*client));
    auto resource = TRY(resources.named(arguments.operand(0)));
    if (!resource.namespaced) name_space.clear();
    return Target{std::move(client), std::move(resource), std::move(name_space)};
}

Result<std::string> read_text(const std::string& path) {
    const bool input = path == "-";
    Fd file;
    if (!input)
        file = TRY(checked_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "opening {}", path));
    std::string text;
    std::array<std::byte, 65536> buffer;
    while (true) {
        const auto count = ::read(input ? STDIN_FILENO : file.get(), buffer.data(), buffer.size());
        if (count < 0) return fail_os(errno, "reading {}", path);
        if (count == 0) return text;
        text += as_text(std::span{buffer}.first(static_cast<std::size_t>(count)));
        if (text.size() > longest_file)
            return fail(Kind::exhausted, "{} has more than {} bytes", path, longest_file);
    }
}

Result<std::vector<FileObject>> read_files(const Arguments& arguments) {
    std::vector<FileObject> found;
    for (const auto& file : arguments.all("f")) {
        const auto text = TRY(read_text(file));
        auto documents = TRY_WITHIN(read_documents(text), "{}", file);
        for (auto& document : documents) add_objects(file, std::move(document), found);
    }
    if (found.empty() && arguments.has("f"))
        return fail(Kind::invalid, "there is no object in {}", fmt::join(arguments.all("f"), ", "));
    return found;
}

Result<ObjectPlace> place_of(const Resources& resources, const Json& object,
                             const Arguments& arguments) {
    ObjectPlace place{
        TRY(resources.of_document(object)), {}, std::string{object.text_at({"metadata", "name"})}};
    if (place.name.empty()) return fail(Kind::invalid, "it has no metadata.name");
    if (!place.resource.namespaced) return place;
    place.name_space = object.text_at({"metadata", "namespace"});
    const auto wanted = TRY(arguments.one("n"));
    if (place.name_space.empty()) place.name_space = wanted.empty() ? "default" : wanted;
    if (!wanted.empty() && wanted != place.name_space)
        return fail(Kind::invalid, "its namespace is {}, and -n says {}",
                    json::in_quotes(place.name_space), json::in_quotes(wanted));
    return place;
}

}  // namespace sheaf::cli
