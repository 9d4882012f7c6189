#include "control/image_reconciler.h"

#include "unit/control/disks_world.h"

namespace sheaf::control {
namespace {

using namespace std::chrono_literals;

class ImageReconcilerTest : public DisksWorld {
  protected:
    std::string phase() {
        return std::string{read(api::image_kind, "i")->text_at({"status", "phase"})};
    }
};

TEST_F(ImageReconcilerTest, IsImportedOnceAndSaysWhatItWasMadeOf) {
    for (const auto* kind : {"disk", "kernel"}) {
        image("i", kind);
        pass(2s);
        EXPECT_EQ(ready(api::image_kind, "i"), "True") << kind;
        const auto object = read(api::image_kind, "i");
        EXPECT_EQ(object->text_at({"status", "sha256"}), "aa");
        EXPECT_EQ(object->text_at({"status", "size"}), "4Ki");
        EXPECT_EQ(object->at({"status", "progress"}), nullptr);
        remove(api::image_kind, "i");
        pass(2s);
        EXPECT_FALSE(read(api::image_kind, "i"));
    }
    EXPECT_TRUE(pool_.images.empty());
    EXPECT_TRUE(pool_.kernels.empty());
}

TEST_F(ImageReconcilerTest, SaysHowFarItIs) {
    pool_.import_time = 5s;
    image("i");
    pass(1s);
    EXPECT_EQ(phase(), "Importing");
    pass(4s);
    EXPECT_EQ(read(api::image_kind, "i")->text_at({"status", "progress"}), "fetching 5 MiB");
    pass(9s);
    EXPECT_EQ(read(api::image_kind, "i")->text_at({"status", "progress"}), "copying 50 %");
    pass(11s);
    EXPECT_EQ(phase(), "Ready");
}

io::Task<void> remove_later(io::Loop& loop, ObjectClient& client) {
    co_await loop.sleep(10s);
    ObjectKey key{"default", "i"};
    co_await client.remove(api::image_kind, std::move(key), {});
}

TEST_F(ImageReconcilerTest, DeletedWhileItIsImportedItIsGivenUp) {
    pool_.import_time = 10min;
    image("i");
    io::TaskGroup others;
    others.start(remove_later(*loop_, client_));
    pass(1min);
    EXPECT_FALSE(read(api::image_kind, "i"));
    EXPECT_TRUE(pool_.images.empty());
}

TEST_F(ImageReconcilerTest, AFailureIsToldAndTriedAgain) {
    pool_.refuses_import = Error{Kind::unavailable, "http://h/i: (22) 404"};
    image("i");
    pass(5s);
    EXPECT_EQ(reason(api::image_kind, "i", "Ready"), "Failing");
    EXPECT_EQ(phase(), "Pending");
    pool_.refuses_import = Error{Kind::invalid, "has the SHA-256 aa, not bb"};
    pass(5s);
    EXPECT_EQ(phase(), "Failed");
    pool_.refuses_import.reset();
    pass(5s);
    EXPECT_EQ(phase(), "Ready");
}

TEST(ImageProgress, IsSaidInWords) {
    EXPECT_EQ(text_of({"waiting", 0, 0}), "waiting");
    EXPECT_EQ(text_of({"fetching", 3 << 20, 0}), "fetching 3 MiB");
    EXPECT_EQ(text_of({"copying", 3, 2}), "copying 100 %");
    EXPECT_EQ(text_of({"copying", 0, 2}), "copying 0 %");
}

}  // namespace
}  // namespace sheaf::control
