#include "storage/image/format.h"

#include "base/bytes.h"

namespace sheaf::image {

namespace {

using namespace std::string_view_literals;

// Compressed whole, as some publish their images, and the program that unpacks it.
std::optional<std::string_view> compression(std::string_view head) {
    if (head.starts_with("\xfd"
                         "7zXZ\0"sv))
        return "xz";
    if (head.starts_with("\x1f\x8b\x08"sv)) return "gzip";
    if (head.starts_with("\x28\xb5\x2f\xfd"sv)) return "zstd";
    if (head.starts_with("BZh")) return "bzip2";
    return std::nullopt;
}

}  // namespace

std::string_view to_string(Format format) {
    return format == Format::raw ? "raw" : "qcow2";
}

Result<Format> parse_format(std::string_view word) {
    if (word == "raw") return Format::raw;
    if (word == "qcow2") return Format::qcow2;
    return fail(Kind::invalid, "\"{}\" is no format; raw and qcow2 are", word);
}

std::optional<std::string_view> foreign_format(std::string_view head) {
    if (head.starts_with("QFI\xfb")) return "qcow2";
    if (head.starts_with("KDMV") || head.starts_with("# Disk DescriptorFile")) return "VMDK";
    if (head.starts_with("vhdxfile")) return "VHDX";
    if (head.starts_with("conectix")) return "VHD";
    if (head.substr(std::min<std::size_t>(head.size(), 64)).starts_with("\x7f\x10\xda\xbe"))
        return "VDI";
    return std::nullopt;
}

Result<Format> format_of(std::span<const std::byte> head) {
    const auto text = as_text(head);
    if (const auto method = compression(text))
        return fail(Kind::unsupported, "is compressed with {0}; unpack it with {0} -d first",
                    *method);
    const auto format = foreign_format(text);
    if (!format) return Format::raw;
    if (*format == "qcow2") return Format::qcow2;
    return fail(Kind::unsupported, "is a {} image; make it qcow2 with qemu-img convert -O qcow2",
                *format);
}

}  // namespace sheaf::image
