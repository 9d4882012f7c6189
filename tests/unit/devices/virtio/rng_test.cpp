#include "devices/virtio/rng.h"

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "support/served_device.h"

namespace sheaf::virtio {
namespace {

class RngTest : public testing::Test {
  protected:
    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    test::FakeGuest guest;
    Rng device;
    test::ServedDevice served{*loop, guest, device, 0};
};

TEST_F(RngTest, FillsWhatItIsGiven) {
    std::vector<std::vector<std::byte>> answers;
    for (int i = 0; i < 2; ++i) {
        served.driver(0).chain().writable(64).writable(36).offer();
        const auto used = served.answer(0);
        ASSERT_TRUE(used);
        EXPECT_EQ(used->written, 100u);
        answers.push_back(served.driver(0).written(*used));
    }
    EXPECT_NE(answers[0], answers[1]);
    EXPECT_NE(answers[0], std::vector<std::byte>(100));
}

TEST_F(RngTest, ARequestIsBounded) {
    served.driver(0).chain().writable(1_MiB).offer();
    const auto used = served.answer(0);
    ASSERT_TRUE(used);
    EXPECT_EQ(used->written, Rng::most_bytes);
}

TEST_F(RngTest, ARequestWithoutRoomIsHandedBack) {
    served.driver(0).chain().readable(std::uint64_t{7}).offer();
    const auto used = served.answer(0);
    ASSERT_TRUE(used);
    EXPECT_EQ(used->written, 0u);
}

}  // namespace
}  // namespace sheaf::virtio
