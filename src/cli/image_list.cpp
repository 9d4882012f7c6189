#include <array>

#include "cli/image.h"
#include "cli/pool_verb.h"
#include "storage/pool/summary.h"

namespace sheaf::cli {

namespace {

using pool::Summary;

constexpr auto options = std::to_array<Option>({output_option, pool_option});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which image"}});

struct ImageList {
    std::vector<Summary> images;
};
BOOST_DESCRIBE_STRUCT(ImageList, (), (images))

std::string state_of(const Summary& image) {
    if (image.state == pool::State::damaged) return "damaged: " + image.problem;
    return image.state == pool::State::clean ? "clean" : "in use by " + image.holder;
}

Result<void> list(const Arguments& arguments) {
    const auto format = TRY(parse_format(arguments));
    const auto pool = TRY(open_pool(arguments));
    const auto loop = TRY(io::make_loop());
    const ImageList found{
        TRY(io::run(*loop, pool::summarize_all(*loop, *pool, pool::Shelf::images)))};
    if (format != Format::table) return print(document(encode(found), format));
    std::vector<std::vector<std::string>> rows{{"NAME", "SIZE", "USED", "SOURCE"}};
    for (const auto& image : found.images)
        rows.push_back({image.name, human_size(image.size), human_size(image.used),
                        image.source.value_or("")});
    return print(table(rows));
}

Result<void> show(const Arguments& arguments) {
    const auto format = TRY(parse_format(arguments));
    const auto pool = TRY(open_pool(arguments));
    const auto loop = TRY(io::make_loop());
    const auto image = TRY(
        io::run(*loop, pool::summarize(*loop, *pool, pool::Shelf::images, arguments.operand(0))));
    if (format != Format::table) return print(document(encode(image), format));
    return print(table({{"name", image.name},
                        {"size", human_size(image.size)},
                        {"used", human_size(image.used)},
                        {"shared", human_size(image.shared)},
                        {"source", image.source.value_or("")},
                        {"sha256", image.sha256.value_or("")},
                        {"created", image.created},
                        {"state", state_of(image)}}));
}

int list_main(std::span<char*> arguments) {
    return main_of(image_list_verb, arguments, list);
}

int show_main(std::span<char*> arguments) {
    return main_of(image_show_verb, arguments, show);
}

}  // namespace

constinit const Verb image_list_verb = {
    .name = "image list",
    .summary = "list the images of a pool",
    .options = options,
    .details = {},
    .example = "sheaf image list -o json | jq '.images[].name'",
    .main = list_main,
};

constinit const Verb image_show_verb = {
    .name = "image show",
    .summary = "say what is known of one image",
    .options = options,
    .details = "The SHA-256 is that of the file that was imported.",
    .example = "sheaf image show debian",
    .main = show_main,
    .operands = operands,
};

}  // namespace sheaf::cli
