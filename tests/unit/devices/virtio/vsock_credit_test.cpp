#include "devices/virtio/vsock_credit.h"

#include <gtest/gtest.h>

namespace sheaf::virtio {
namespace {

VsockHeader saying(std::uint32_t size, std::uint32_t forwarded) {
    return {.buffer_size = size, .forwarded_count = forwarded};
}

TEST(VsockCredit, WhatIsOnTheWayTakesRoomOfTheGuest) {
    VsockCredit credit;
    EXPECT_EQ(credit.may_send(), 0u) << "before the guest has said anything";
    credit.hear(saying(1000, 0));
    EXPECT_EQ(credit.may_send(), 1000u);
    credit.send(600);
    EXPECT_EQ(credit.may_send(), 400u);
    credit.hear(saying(1000, 500));
    EXPECT_EQ(credit.may_send(), 900u);
}

TEST(VsockCredit, NonsenseOfTheGuestGivesNoCredit) {
    VsockCredit credit;
    credit.hear(saying(1000, 1));  // it has taken what was never sent
    EXPECT_EQ(credit.may_send(), 0u);
    credit.hear(saying(1000, 0));
    credit.send(800);
    credit.hear(saying(500, 0));  // its buffer shrank below what is on the way
    EXPECT_EQ(credit.may_send(), 0u);
}

TEST(VsockCredit, CountsWrap) {
    VsockCredit credit;
    std::uint32_t forwarded = 0;
    for (unsigned round = 0; round < 5; ++round) {
        credit.hear(saying(~0U, forwarded));
        credit.send(0x40000000);
        forwarded += 0x40000000;
    }
    credit.hear(saying(1000, forwarded));
    EXPECT_EQ(credit.may_send(), 1000u);
    credit.send(1000);
    EXPECT_EQ(credit.may_send(), 0u);
}

TEST(VsockCredit, OurRoomIsWhatIsNotPassedOn) {
    VsockCredit credit;
    EXPECT_EQ(credit.room(), VsockCredit::buffer_size);
    credit.receive(1000);
    EXPECT_EQ(credit.room(), VsockCredit::buffer_size - 1000);
    credit.forward(400);
    EXPECT_EQ(credit.room(), VsockCredit::buffer_size - 600);
}

TEST(VsockCredit, NewsIsWhatTheGuestNeedsToGoOn) {
    VsockCredit credit;
    credit.receive(VsockCredit::buffer_size / 2);
    credit.forward(VsockCredit::buffer_size / 2);
    EXPECT_FALSE(credit.is_news()) << "half of the room is left as the guest sees it";
    credit.receive(1);
    EXPECT_TRUE(credit.is_news());
    VsockHeader header;
    credit.tell(header);
    EXPECT_EQ(+header.buffer_size, VsockCredit::buffer_size);
    EXPECT_EQ(+header.forwarded_count, VsockCredit::buffer_size / 2);
    EXPECT_FALSE(credit.is_news());
    credit.receive(VsockCredit::buffer_size / 2);
    EXPECT_FALSE(credit.is_news()) << "nothing was passed on since";
}

}  // namespace
}  // namespace sheaf::virtio
