#include "storage/image/format.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::image {
namespace {

using namespace std::string_view_literals;

std::string told(std::string_view head) {
    const auto format = format_of(as_bytes(head));
    return format ? std::string{to_string(*format)} : format.error().text();
}

TEST(ImageFormat, IsToldByTheBeginning) {
    EXPECT_EQ(told(""), "raw");
    EXPECT_EQ(told("anything"), "raw");
    EXPECT_EQ(told("QFI\xfb"), "qcow2");
    EXPECT_EQ(told("QFI"), "raw");
}

TEST(ImageFormat, OthersAreRefusedByName) {
    EXPECT_EQ(told("KDMV"), "is a VMDK image; make it qcow2 with qemu-img convert -O qcow2");
    EXPECT_EQ(told("vhdxfile"), "is a VHDX image; make it qcow2 with qemu-img convert -O qcow2");
    EXPECT_EQ(told("\xfd"
                   "7zXZ\0"sv),
              "is compressed with xz; unpack it with xz -d first");
    EXPECT_EQ(told("\x1f\x8b\x08"sv), "is compressed with gzip; unpack it with gzip -d first");
    const auto vdi = std::string(64, '.') + "\x7f\x10\xda\xbe";
    EXPECT_EQ(told(vdi), "is a VDI image; make it qcow2 with qemu-img convert -O qcow2");
}

TEST(ImageFormat, HasWords) {
    EXPECT_EQ(parse_format("raw").value(), Format::raw);
    EXPECT_EQ(parse_format("qcow2").value(), Format::qcow2);
    EXPECT_EQ(parse_format("vmdk").error().text(), "\"vmdk\" is no format; raw and qcow2 are");
}

}  // namespace
}  // namespace sheaf::image
