// SPDX-License-Identifier: Apache-2.0
//
// The story of story.py, by pgjdbc: server-side prepared statements, batches, fetching in parts.

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Properties;

public class Story {
  static final int ROWS = 20;

  static void check(boolean isTrue, String what) {
    if (!isTrue) throw new AssertionError(what);
  }

  static int readParts(Connection connection) throws SQLException {
    int rows = 0;
    connection.setAutoCommit(false);
    try (PreparedStatement all = connection.prepareStatement("SELECT * FROM t")) {
      all.setFetchSize(7);
      try (ResultSet result = all.executeQuery()) {
        while (result.next()) ++rows;
      }
    }
    connection.commit();
    return rows;
  }

  static void beRefused(Connection connection) throws SQLException {
    try (PreparedStatement delete = connection.prepareStatement("DELETE FROM t");
        PreparedStatement forbidden = connection.prepareStatement("SELECT 'forbidden'")) {
      delete.executeUpdate();
      forbidden.executeQuery();
      throw new AssertionError("not refused");
    } catch (SQLException error) {
      check("42000".equals(error.getSQLState()), error.toString());
    }
    connection.rollback();
    connection.setAutoCommit(true);
  }

  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    properties.setProperty("user", "postgres");
    properties.setProperty("options", "-c helios.tenant_id=" + System.getenv("TENANT"));
    properties.setProperty("prepareThreshold", "2");
    properties.setProperty("ApplicationName", "story");
    String url = "jdbc:postgresql://127.0.0.1:" + System.getenv("PGPORT") + "/demo?sslmode=disable";
    int executed = 0;
    try (Connection connection = DriverManager.getConnection(url, properties)) {
      connection.createStatement().execute("CREATE TEMP TABLE t (a int, b text)");
      executed += 1;
      try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?, ?)")) {
        for (int n = 0; n < ROWS; ++n) {
          insert.setInt(1, n);
          insert.setString(2, "row " + n);
          insert.addBatch();
        }
        insert.executeBatch();
        executed += ROWS;
      }
      try (PreparedStatement one = connection.prepareStatement("SELECT b FROM t WHERE a = ?")) {
        for (int n = 0; n < 10; ++n) {
          one.setInt(1, n);
          try (ResultSet result = one.executeQuery()) {
            check(result.next() && result.getString(1).equals("row " + n), "row " + n);
          }
          executed += 1;
        }
      }
      check(readParts(connection) == ROWS, "rows in parts");
      executed += 1;
      beRefused(connection);
      executed += 1;
      try (ResultSet count = connection.createStatement().executeQuery("SELECT count(*) FROM t")) {
        check(count.next() && count.getInt(1) == ROWS, "rows after the rollback");
      }
      executed += 1;
    }
    System.out.println("executed " + executed);
  }
}
