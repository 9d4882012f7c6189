#include "store/open.h"

#include <filesystem>

#include "world.h"

namespace sheaf::kv {
namespace {

class OpenStore : public testing::Test {
  protected:
    Result<std::unique_ptr<Kv>> open(const std::string& text, const io::TlsFiles& files = {}) {
        return io::run(*loop_, open_store(*loop_, {text, files}));
    }
    void shut_down(Kv& kv) { EXPECT_TRUE(io::run(*loop_, kv.shut_down())); }
    const std::string& folder() const { return folder_.path(); }

  private:
    ScratchFolder folder_;
    std::unique_ptr<io::Loop> loop_ = io::make_loop().value();
};

TEST_F(OpenStore, ALocationNamesAStore) {
    const auto file = open("sqlite:" + folder() + "/a").value();
    EXPECT_TRUE(std::filesystem::exists(folder() + "/a"));
    shut_down(*file);
    const auto cluster = open("etcd:http://127.0.0.1:1,http://[::1]:2").value();
    shut_down(*cluster);
}

TEST_F(OpenStore, WhatIsNoLocationIsRefusedAndShown) {
    for (const auto* text : {"", "sqlite", "sqlite:", "etcd:", "etcd:http://a,", "etcd:a",
                             "redis:x", "etcd:http://a/b"}) {
        const auto opened = open(text);
        ASSERT_FALSE(opened) << text;
        EXPECT_EQ(opened.error().kind(), Kind::invalid) << opened.error().text();
        EXPECT_TRUE(opened.error().text().starts_with("store ")) << opened.error().text();
    }
}

TEST_F(OpenStore, AFileOfTlsThatIsMissingIsNamed) {
    const auto opened = open("etcd:https://127.0.0.1:1",
                             {.certificate = {}, .key = {}, .authority = folder() + "/missing"});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind(), Kind::not_found);
    EXPECT_NE(opened.error().text().find("/missing"), std::string::npos);
}

}  // namespace
}  // namespace sheaf::kv
