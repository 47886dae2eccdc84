import django.contrib.auth.models
import django.contrib.auth.validators
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import broadcast.models.accounts
from broadcast.models.deliveries import ensure_partitions

# Partitioned by month, which the id carries in its high bits; see models/deliveries.py.
LEDGER = """
CREATE SEQUENCE broadcast_batch_number;
CREATE TABLE broadcast_delivery (
    id bigint NOT NULL PRIMARY KEY,
    campaign_id bigint NOT NULL,
    content_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    address_id bigint NOT NULL,
    place_id integer NOT NULL,
    account_id bigint,
    cost integer NOT NULL DEFAULT 0,
    sent_at timestamptz,
    final_at timestamptz,
    status smallint NOT NULL DEFAULT 0,
    attempts smallint NOT NULL DEFAULT 0,
    parts smallint NOT NULL DEFAULT 0,
    reason varchar(24) NOT NULL DEFAULT '',
    code varchar(40) NOT NULL DEFAULT '',
    provider_id varchar(80) NOT NULL DEFAULT ''
) PARTITION BY RANGE (id);
CREATE INDEX delivery_contact ON broadcast_delivery (contact_id);
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("adapter", models.CharField(max_length=32, verbose_name="kênh")),
                ("label", models.CharField(max_length=80, verbose_name="tên gọi")),
                ("sandbox", models.BooleanField(default=False, verbose_name="hộp cát")),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Hoạt động"), ("paused", "Tạm ngưng"), ("off", "Đã tắt")],
                        default="active",
                        max_length=8,
                        verbose_name="trạng thái",
                    ),
                ),
                ("status_reason", models.CharField(blank=True, max_length=200)),
                ("status_at", models.DateTimeField(auto_now_add=True)),
                ("sealed_settings", models.BinaryField(default=b"")),
                (
                    "hook",
                    models.CharField(
                        default=broadcast.models.accounts.new_hook, editable=False, max_length=40, unique=True
                    ),
                ),
                ("per_second", models.FloatField(blank=True, null=True, verbose_name="giới hạn mỗi giây")),
                ("weight", models.PositiveSmallIntegerField(default=100, verbose_name="ưu tiên")),
            ],
            options={
                "verbose_name": "tài khoản kênh",
                "verbose_name_plural": "tài khoản kênh",
            },
        ),
        migrations.CreateModel(
            name="Audience",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(blank=True, max_length=120, verbose_name="tên")),
            ],
            options={
                "verbose_name": "nhóm nhận tin",
                "verbose_name_plural": "nhóm nhận tin",
            },
        ),
        migrations.CreateModel(
            name="CounterDelta",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content_id", models.BigIntegerField()),
                ("place_id", models.IntegerField()),
                ("status", models.SmallIntegerField()),
                ("reason", models.CharField(default="", max_length=24)),
                ("n", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                ("full_name", models.CharField(blank=True, max_length=120, verbose_name="họ và tên")),
                ("position", models.CharField(blank=True, max_length=120, verbose_name="chức vụ")),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "cán bộ",
                "verbose_name_plural": "cán bộ",
                "abstract": False,
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="Article",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.CharField(max_length=40, verbose_name="trang")),
                ("reference", models.CharField(max_length=40, unique=True)),
                ("slug", models.SlugField(max_length=120, unique=True, verbose_name="đường dẫn")),
                ("title", models.CharField(max_length=200, verbose_name="tiêu đề")),
                ("summary", models.TextField(blank=True, verbose_name="tóm tắt")),
                ("body_html", models.TextField(verbose_name="nội dung")),
                ("language", models.CharField(default="vi", max_length=8)),
                ("category", models.CharField(default="notice", max_length=12)),
                ("published_at", models.DateTimeField(verbose_name="đăng lúc")),
                ("updated_at", models.DateTimeField(verbose_name="sửa lúc")),
                ("corrected", models.BooleanField(default=False)),
                ("retracted_at", models.DateTimeField(blank=True, null=True, verbose_name="gỡ lúc")),
                ("views", models.PositiveIntegerField(default=0, verbose_name="lượt xem")),
            ],
            options={
                "verbose_name": "bài viết",
                "verbose_name_plural": "bài viết",
                "indexes": [
                    models.Index(
                        condition=models.Q(("retracted_at__isnull", True)),
                        fields=["-published_at"],
                        name="article_public",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=200, verbose_name="tên chiến dịch")),
                ("source", models.TextField(blank=True, verbose_name="nội dung gốc")),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("emergency", "Khẩn cấp"),
                            ("notice", "Thông báo công"),
                            ("service", "Tin dịch vụ"),
                            ("advertising", "Quảng cáo"),
                        ],
                        default="notice",
                        max_length=12,
                        verbose_name="loại tin",
                    ),
                ),
                (
                    "lane",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "Khẩn cấp"), (1, "Thường"), (2, "Hàng loạt")], default=1, verbose_name="mức độ"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Bản nháp"),
                            ("review", "Chờ duyệt"),
                            ("approved", "Đã duyệt"),
                            ("scheduled", "Đã hẹn giờ"),
                            ("preparing", "Đang chuẩn bị"),
                            ("running", "Đang gửi"),
                            ("paused", "Tạm dừng"),
                            ("finished", "Đã xong"),
                            ("cancelled", "Đã huỷ"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=10,
                        verbose_name="trạng thái",
                    ),
                ),
                ("send_at", models.DateTimeField(blank=True, null=True, verbose_name="giờ gửi")),
                ("deadline_at", models.DateTimeField(blank=True, null=True, verbose_name="hết giá trị lúc")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("revision", models.PositiveIntegerField(default=1, editable=False)),
                ("submitted_at", models.DateTimeField(null=True)),
                ("approved_at", models.DateTimeField(null=True)),
                ("approved_digest", models.CharField(blank=True, max_length=64)),
                ("rejected_reason", models.TextField(blank=True)),
                ("launched_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "audience",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="broadcast.audience",
                        verbose_name="người nhận",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "launched_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "chiến dịch",
                "verbose_name_plural": "chiến dịch",
            },
        ),
        migrations.CreateModel(
            name="Content",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(max_length=32, verbose_name="kênh")),
                ("subject", models.CharField(blank=True, max_length=200, verbose_name="tiêu đề")),
                ("summary", models.TextField(blank=True, verbose_name="tóm tắt")),
                ("body", models.TextField(blank=True, verbose_name="nội dung")),
                ("options", models.JSONField(blank=True, default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Chưa bắt đầu"),
                            ("expanding", "Đang lập danh sách"),
                            ("running", "Đang gửi"),
                            ("stopped", "Đã dừng"),
                            ("finished", "Đã xong"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("status_reason", models.CharField(blank=True, max_length=300)),
                ("chunks_done", models.PositiveIntegerField(default=0)),
                ("chunks", models.PositiveIntegerField(default=0)),
                ("served_at", models.DateTimeField(null=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="contents", to="broadcast.campaign"
                    ),
                ),
            ],
            options={
                "verbose_name": "nội dung theo kênh",
                "verbose_name_plural": "nội dung theo kênh",
            },
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("lane", models.SmallIntegerField(choices=[(0, "Khẩn cấp"), (1, "Thường"), (2, "Hàng loạt")])),
                (
                    "status",
                    models.SmallIntegerField(choices=[(0, "Sẵn sàng"), (1, "Đang xử lý"), (2, "Xong")], default=0),
                ),
                (
                    "members",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), null=True, size=None
                    ),
                ),
                ("size", models.SmallIntegerField()),
                ("due_at", models.DateTimeField()),
                ("leased_until", models.DateTimeField(null=True)),
                ("worker", models.CharField(blank=True, default="", max_length=80)),
                (
                    "content",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="batches", to="broadcast.content"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Counter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place_id", models.IntegerField()),
                (
                    "status",
                    models.SmallIntegerField(
                        choices=[
                            (0, "Chờ gửi"),
                            (1, "Đang gửi"),
                            (2, "Đã gửi"),
                            (3, "Đã đến"),
                            (4, "Đã xem"),
                            (5, "Không gửi được"),
                            (6, "Chưa chắc"),
                            (7, "Đã huỷ"),
                            (8, "Quá hạn"),
                        ]
                    ),
                ),
                ("reason", models.CharField(default="", max_length=24)),
                ("n", models.IntegerField(default=0)),
                (
                    "content",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="counters", to="broadcast.content"
                    ),
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Delivery",
                    fields=[
                        ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("campaign_id", models.BigIntegerField()),
                        ("content_id", models.BigIntegerField()),
                        ("contact_id", models.BigIntegerField()),
                        ("address_id", models.BigIntegerField()),
                        ("place_id", models.IntegerField()),
                        ("account_id", models.BigIntegerField(null=True)),
                        (
                            "status",
                            models.SmallIntegerField(
                                choices=[
                                    (0, "Chờ gửi"),
                                    (1, "Đang gửi"),
                                    (2, "Đã gửi"),
                                    (3, "Đã đến"),
                                    (4, "Đã xem"),
                                    (5, "Không gửi được"),
                                    (6, "Chưa chắc"),
                                    (7, "Đã huỷ"),
                                    (8, "Quá hạn"),
                                ],
                                default=0,
                            ),
                        ),
                        ("attempts", models.SmallIntegerField(default=0)),
                        ("parts", models.SmallIntegerField(default=0)),
                        ("cost", models.IntegerField(default=0)),
                        ("reason", models.CharField(blank=True, default="", max_length=24)),
                        ("code", models.CharField(blank=True, default="", max_length=40)),
                        ("provider_id", models.CharField(blank=True, default="", max_length=80)),
                        ("sent_at", models.DateTimeField(null=True)),
                        ("final_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "verbose_name": "lượt gửi",
                        "verbose_name_plural": "lượt gửi",
                        "indexes": [models.Index(fields=["contact_id"], name="delivery_contact")],
                    },
                ),
            ],
            database_operations=[
                migrations.RunSQL(LEDGER, "DROP TABLE broadcast_delivery; DROP SEQUENCE broadcast_batch_number")
            ],
        ),
        migrations.RunPython(lambda apps, editor: ensure_partitions(), migrations.RunPython.noop),
        migrations.CreateModel(
            name="InboundMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider_id", models.CharField(max_length=80)),
                ("kind", models.CharField(max_length=12)),
                ("address_kind", models.CharField(max_length=16)),
                ("address", models.BinaryField()),
                ("text", models.TextField(blank=True)),
                ("name", models.CharField(blank=True, max_length=120)),
                ("at", models.DateTimeField()),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="broadcast.account"
                    ),
                ),
            ],
            options={
                "verbose_name": "tin đến",
                "verbose_name_plural": "tin đến",
            },
        ),
        migrations.CreateModel(
            name="InboxItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_id", models.BigIntegerField()),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                ("url", models.TextField()),
                ("headers", models.JSONField()),
                ("body", models.BinaryField()),
                ("attempts", models.SmallIntegerField(default=0)),
                ("error", models.CharField(blank=True, default="", max_length=200)),
            ],
            options={
                "indexes": [models.Index(condition=models.Q(("error", "")), fields=["id"], name="inbox_waiting")],
            },
        ),
        migrations.CreateModel(
            name="ParkedReceipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_id", models.BigIntegerField()),
                ("provider_id", models.CharField(max_length=80)),
                ("receipt", models.JSONField()),
                ("parked_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [models.Index(fields=["account_id", "provider_id"], name="parked_by_provider_id")],
            },
        ),
        migrations.CreateModel(
            name="Place",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=255, unique=True)),
                ("depth", models.PositiveIntegerField()),
                ("numchild", models.PositiveIntegerField(default=0)),
                ("code", models.CharField(max_length=12, verbose_name="mã đơn vị")),
                ("name", models.CharField(max_length=120, verbose_name="tên")),
                ("folded", models.CharField(db_index=True, editable=False, max_length=120)),
                ("sort_key", models.CharField(editable=False, max_length=300)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("province", "Tỉnh"),
                            ("district", "Huyện"),
                            ("commune", "Xã"),
                            ("ward", "Phường"),
                            ("town", "Thị trấn"),
                            ("village", "Thôn, tổ dân phố"),
                        ],
                        max_length=10,
                        verbose_name="cấp",
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="có hiệu lực từ")),
                ("valid_to", models.DateField(blank=True, null=True, verbose_name="đến hết")),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("tile_column", models.SmallIntegerField(blank=True, null=True)),
                ("tile_row", models.SmallIntegerField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "địa bàn",
                "verbose_name_plural": "địa bàn",
                "constraints": [
                    models.UniqueConstraint(fields=("code", "kind", "valid_from"), name="place_code_since")
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("writer", "Soạn tin"),
                            ("approver", "Duyệt tin"),
                            ("sender", "Gửi tin"),
                            ("operator", "Vận hành loa"),
                            ("viewer", "Xem"),
                            ("administrator", "Quản trị"),
                        ],
                        max_length=16,
                        verbose_name="vai trò",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="cán bộ",
                    ),
                ),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="broadcast.place",
                        verbose_name="địa bàn",
                    ),
                ),
            ],
            options={
                "verbose_name": "phân quyền",
                "verbose_name_plural": "phân quyền",
            },
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("person", "Người dân"),
                            ("official", "Cán bộ"),
                            ("household", "Hộ gia đình"),
                            ("outlet", "Đầu mối phát tin"),
                        ],
                        default="person",
                        max_length=10,
                        verbose_name="loại",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="tên")),
                ("folded", models.CharField(editable=False, max_length=120)),
                ("language", models.CharField(default="vi", max_length=8, verbose_name="ngôn ngữ")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contacts",
                        to="broadcast.place",
                        verbose_name="địa bàn",
                    ),
                ),
            ],
            options={
                "verbose_name": "liên hệ",
                "verbose_name_plural": "liên hệ",
            },
        ),
        migrations.AddField(
            model_name="campaign",
            name="place",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="campaigns",
                to="broadcast.place",
                verbose_name="đơn vị",
            ),
        ),
        migrations.AddField(
            model_name="audience",
            name="excluded",
            field=models.ManyToManyField(blank=True, related_name="+", to="broadcast.place", verbose_name="trừ"),
        ),
        migrations.AddField(
            model_name="audience",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="broadcast.place",
                verbose_name="đơn vị",
            ),
        ),
        migrations.AddField(
            model_name="audience",
            name="places",
            field=models.ManyToManyField(related_name="+", to="broadcast.place", verbose_name="địa bàn"),
        ),
        migrations.AddField(
            model_name="account",
            name="place",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to="broadcast.place", verbose_name="đơn vị"
            ),
        ),
        migrations.CreateModel(
            name="PlaceSuccession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("whole", models.BooleanField(default=True, verbose_name="toàn bộ")),
                ("since", models.DateField(verbose_name="từ ngày")),
                (
                    "new",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="predecessors",
                        to="broadcast.place",
                        verbose_name="đơn vị mới",
                    ),
                ),
                (
                    "old",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="successors",
                        to="broadcast.place",
                        verbose_name="đơn vị cũ",
                    ),
                ),
            ],
            options={
                "verbose_name": "sáp nhập",
                "verbose_name_plural": "sáp nhập",
            },
        ),
        migrations.CreateModel(
            name="ProviderReference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_id", models.BigIntegerField()),
                ("provider_id", models.CharField(max_length=80)),
                ("delivery_id", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account_id", "provider_id"), name="provider_reference_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Refusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=16)),
                ("value", models.BinaryField()),
                ("source", models.CharField(max_length=40)),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "từ chối nhận tin",
                "verbose_name_plural": "từ chối nhận tin",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        fields=("kind", "value"),
                        name="refusal_once_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RefusedCallback",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_id", models.BigIntegerField()),
                ("day", models.DateField()),
                ("cause", models.CharField(max_length=16)),
                ("n", models.IntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account_id", "day", "cause"), name="refused_once_per_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="Station",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=24, unique=True, verbose_name="mã đài")),
                ("voice", models.CharField(blank=True, default="espeak", max_length=40, verbose_name="giọng đọc")),
                ("greeting", models.CharField(blank=True, max_length=300, verbose_name="lời xưng danh")),
                (
                    "contact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="station",
                        to="broadcast.contact",
                        verbose_name="đầu mối",
                    ),
                ),
            ],
            options={
                "verbose_name": "đài truyền thanh",
                "verbose_name_plural": "đài truyền thanh",
            },
        ),
        migrations.CreateModel(
            name="Clip",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=40, unique=True)),
                ("title", models.CharField(max_length=200)),
                (
                    "priority",
                    models.CharField(
                        choices=[("normal", "Thông thường"), ("priority", "Ưu tiên"), ("urgent", "Khẩn cấp")],
                        default="normal",
                        max_length=8,
                    ),
                ),
                ("text", models.TextField(blank=True)),
                ("path", models.CharField(max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("seconds", models.FloatField()),
                ("not_after", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("downloaded_at", models.DateTimeField(null=True)),
                ("played_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "played_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="clips", to="broadcast.station"
                    ),
                ),
            ],
            options={
                "verbose_name": "bản tin loa",
                "verbose_name_plural": "bản tin loa",
            },
        ),
        migrations.CreateModel(
            name="Bulletin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("seconds", models.FloatField()),
                ("spoken", models.TextField()),
                ("doubts", models.JSONField(default=list)),
                ("voice", models.CharField(max_length=40)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "content",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="bulletins", to="broadcast.content"
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="broadcast.station"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Trouble",
            fields=[
                ("delivery_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("place_id", models.IntegerField()),
                (
                    "status",
                    models.SmallIntegerField(
                        choices=[
                            (0, "Chờ gửi"),
                            (1, "Đang gửi"),
                            (2, "Đã gửi"),
                            (3, "Đã đến"),
                            (4, "Đã xem"),
                            (5, "Không gửi được"),
                            (6, "Chưa chắc"),
                            (7, "Đã huỷ"),
                            (8, "Quá hạn"),
                        ]
                    ),
                ),
                ("reason", models.CharField(max_length=24)),
                ("at", models.DateTimeField()),
                (
                    "content",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="troubles", to="broadcast.content"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("action", models.CharField(max_length=40, verbose_name="việc")),
                ("subject", models.CharField(max_length=80, verbose_name="đối tượng")),
                ("detail", models.JSONField(default=dict)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "nhật ký",
                "verbose_name_plural": "nhật ký",
                "indexes": [models.Index(fields=["subject", "-at"], name="audit_subject")],
            },
        ),
        migrations.CreateModel(
            name="Address",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=16, verbose_name="loại địa chỉ")),
                ("value", models.BinaryField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("unverified", "Chưa xác minh"),
                            ("valid", "Dùng được"),
                            ("dead", "Không còn dùng"),
                            ("opted_out", "Đã từ chối nhận"),
                        ],
                        default="unverified",
                        max_length=12,
                        verbose_name="trạng thái",
                    ),
                ),
                ("state_at", models.DateTimeField(auto_now_add=True)),
                ("state_reason", models.CharField(blank=True, max_length=40)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="addresses",
                        to="broadcast.contact",
                        verbose_name="liên hệ",
                    ),
                ),
            ],
            options={
                "verbose_name": "địa chỉ",
                "verbose_name_plural": "địa chỉ",
                "indexes": [models.Index(fields=["kind", "value"], name="address_kind_value")],
                "constraints": [
                    models.UniqueConstraint(fields=("contact", "kind", "value"), name="address_once_per_contact")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="content",
            constraint=models.UniqueConstraint(fields=("campaign", "channel"), name="content_once_per_channel"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(condition=models.Q(("status", 0)), fields=["content", "due_at"], name="batch_ready"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(condition=models.Q(("status", 1)), fields=["leased_until"], name="batch_leased"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["content", "id"], name="batch_content"),
        ),
        migrations.AddConstraint(
            model_name="counter",
            constraint=models.UniqueConstraint(fields=("content", "place_id", "status", "reason"), name="counter_once"),
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(fields=["-received_at"], name="inbound_received"),
        ),
        migrations.AddConstraint(
            model_name="inboundmessage",
            constraint=models.UniqueConstraint(fields=("account", "provider_id"), name="inbound_once"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("user", "place", "role"), name="membership_once"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["place", "kind"], name="contact_place_kind"),
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(fields=["place", "-created_at"], name="campaign_place_created"),
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(
                condition=models.Q(("status__in", ["scheduled", "preparing", "running"])),
                fields=["status", "send_at"],
                name="campaign_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="placesuccession",
            constraint=models.UniqueConstraint(fields=("old", "new"), name="succession_once"),
        ),
        migrations.AddIndex(
            model_name="clip",
            index=models.Index(fields=["station", "-created_at"], name="clip_station_created"),
        ),
        migrations.AddConstraint(
            model_name="bulletin",
            constraint=models.UniqueConstraint(fields=("content", "station"), name="bulletin_once_per_station"),
        ),
        migrations.AddIndex(
            model_name="trouble",
            index=models.Index(fields=["content", "reason", "-at"], name="trouble_content_reason"),
        ),
    ]
