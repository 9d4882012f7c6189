#pragma once

// Why: verbs about objects share their options: where the daemon is, which namespace, which file.

#include "cli/object_table.h"
#include "cli/pool_verb.h"
#include "cli/resource.h"

namespace sheaf::cli {

inline constexpr Option namespace_option = {"n", "NAMESPACE", "which namespace (default: default)"};
inline constexpr Option all_namespaces_option = {"A", "", "all namespaces"};
inline constexpr Option selector_option = {"l", "SELECTOR", "only objects with these labels"};
inline constexpr Option file_option = {"f", "FILE|-",
                                       "YAML or JSON, as many documents as there are; - is the "
                                       "standard input"};

// The namespace that -n names, or "default"; none with -A.
Result<std::string> namespace_of(const Arguments& arguments);

// The kind that a word of the command line names.
struct Target {
    std::unique_ptr<ApiClient> client;
    Resource resource;
    std::string name_space;  // empty: all, or a kind that has none
};
Result<Target> target_of(const Arguments& arguments);

// A document of the files that -f names: an object of a List stands for itself.
struct FileObject {
    std::string file;
    Json object;
};
Result<std::vector<FileObject>> read_files(const Arguments& arguments);

// All of a file, or of the standard input where it is called "-"; at most 16 MiB.
Result<std::string> read_text(const std::string& path);

// Where the object of a document is: its own namespace, or else the one that -n names.
struct ObjectPlace {
    Resource resource;
    std::string name_space;
    std::string name;
    std::string path() const { return resource.path(name_space, name); }
};
Result<ObjectPlace> place_of(const Resources& resources, const Json& object,
                             const Arguments& arguments);

// JSON with a line for each member.
std::string to_pretty_json(const Json& value);

}  // namespace sheaf::cli
