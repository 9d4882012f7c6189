#include "devices/virtio/console.h"

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "support/served_device.h"
#include "support/turns.h"
#include "unit/devices/legacy/test_backend.h"

namespace sheaf::virtio {
namespace {

constexpr std::size_t receive = 0;
constexpr std::size_t transmit = 1;

class ConsoleTest : public testing::Test {
  protected:
    std::string read_one() {
        const auto used = served.driver(receive).take_used();
        if (!used) return "nothing";
        return std::string{as_text(served.driver(receive).written(*used))};
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    test::FakeGuest guest;
    console::TestBackend backend;
    Console device{backend};
    test::ServedDevice served{*loop, guest, device, 0};
};

TEST_F(ConsoleTest, Prints) {
    served.driver(transmit)
        .chain()
        .readable(as_bytes("hello "))
        .readable(as_bytes("world"))
        .offer();
    ASSERT_TRUE(served.answer(transmit));
    EXPECT_EQ(backend.printed, "hello world");
}

TEST_F(ConsoleTest, PrintsLongBuffersWhole) {
    const std::string text(100'000, 'z');
    served.driver(transmit).chain().readable(as_bytes(text)).offer();
    ASSERT_TRUE(served.answer(transmit));
    EXPECT_EQ(backend.printed, text);
}

TEST_F(ConsoleTest, OfAnEndlessBufferTheEndIsPrinted) {
    const auto start = guest.allocate(2_MiB);
    guest.write(start + (2_MiB - 1), 'E');
    served.driver(transmit).chain().piece(start, 2_MiB, 0).offer();
    ASSERT_TRUE(served.answer(transmit));
    EXPECT_EQ(backend.printed.size(), 1_MiB);
    EXPECT_EQ(backend.printed.back(), 'E');
}

TEST_F(ConsoleTest, TypesIntoTheBuffersThereAre) {
    backend.type("before there was a buffer");
    served.driver(receive).chain().writable(10).offer();
    served.driver(receive).chain().writable(100).offer();
    served.ring(receive);
    test::turn(*loop);
    EXPECT_EQ(read_one(), "before the");
    EXPECT_EQ(read_one(), "re was a buffer");
    EXPECT_EQ(backend.typed, "");
}

TEST_F(ConsoleTest, WaitsForBuffersAndForInput) {
    served.driver(receive).chain().writable(8).offer();
    served.ring(receive);
    test::turn(*loop);
    EXPECT_EQ(read_one(), "nothing");
    backend.type("0123456789");
    test::turn(*loop);
    EXPECT_EQ(read_one(), "01234567");
    EXPECT_EQ(backend.typed, "89") << "what has no buffer waits outside";
    served.driver(receive).chain().writable(8).offer();
    served.ring(receive);
    test::turn(*loop);
    EXPECT_EQ(read_one(), "89");
}

TEST_F(ConsoleTest, ABufferWithoutRoomIsHandedBack) {
    backend.type("x");
    served.driver(receive).chain().readable(as_bytes("no room")).offer();
    const auto used = served.answer(receive);
    ASSERT_TRUE(used);
    EXPECT_EQ(used->written, 0u);
    EXPECT_EQ(backend.typed, "x");
}

TEST_F(ConsoleTest, TellsOfAnotherSize) {
    device.resize({.columns = 132, .rows = 50});
    ConsoleConfig config;
    device.read_config(0, std::as_writable_bytes(std::span{&config, 1}));
    EXPECT_EQ(config.columns, 132);
    EXPECT_EQ(config.rows, 50);
    EXPECT_EQ(served.config_changes(), 1u);
}

TEST_F(ConsoleTest, PrintsInAnEmergency) {
    const std::uint32_t letter = '!';
    device.write_config(8, bytes_of(letter));
    device.write_config(0, bytes_of(letter));
    EXPECT_EQ(backend.printed, "!");
}

}  // namespace
}  // namespace sheaf::virtio
