#include "devices/console/output.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::console {
namespace {

std::string take_all(Output& output, std::size_t at_once = 7) {
    std::string all;
    std::string part(at_once, '?');
    while (const auto count =
               output.take(std::as_writable_bytes(std::span{part.data(), part.size()})))
        all.append(part, 0, count);
    return all;
}

TEST(Output, LosesNothingWhileThereIsRoom) {
    Output output{16};
    output.write(as_bytes("0123456789"));
    output.write(as_bytes("abcdef"));
    EXPECT_EQ(take_all(output), "0123456789abcdef");
    EXPECT_EQ(output.lost(), 0u);
}

TEST(Output, TheOldestMakesRoomAndTheReaderIsTold) {
    Output output{16};
    output.write(as_bytes("0123456789"));
    output.write(as_bytes("abcdefghij"));
    EXPECT_EQ(output.lost(), 4u);
    EXPECT_EQ(take_all(output), "\r\n[sheaf: 4 bytes of console output lost]\r\n456789abcdefghij");
    output.write(as_bytes("next"));
    EXPECT_EQ(take_all(output), "next") << "a loss is told once";
}

TEST(Output, OfMoreThanTheRoomTheEndIsKept) {
    Output output{4};
    output.write(as_bytes("xx"));
    output.write(as_bytes("0123456789"));
    EXPECT_EQ(output.lost(), 8u);
    EXPECT_EQ(take_all(output), "\r\n[sheaf: 8 bytes of console output lost]\r\n6789");
}

}  // namespace
}  // namespace sheaf::console
